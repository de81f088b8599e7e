import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { CarpoolError } from '../errors.js';
import { assetOf, sendAsset, type Asset } from './docs-asset.js';
import { DOCS_POLICY, DOCS_SCRIPT, docsPage } from './docs-page.js';
import { pathParam, type Route } from './router.js';

/** What there is of swagger-ui-dist; no other file of the disk can be asked for. */
const FILES: ReadonlyMap<string, string> = new Map([
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['favicon-32x32.png', 'image/png'],
]);

const SCRIPT = 'init.js';

/** Asked again each time, which is cheap: names do not change with versions. */
const REVALIDATE = { 'cache-control': 'no-cache' };

/** Swagger UI on `/openapi.json`, from the package and from nowhere else. */
export const docsRoutes = (): readonly Route[] => {
  const { resolve } = createRequire(import.meta.url);
  const assets = new Map<string, Promise<Asset>>();

  const load = async (name: string): Promise<Asset> => {
    if (name === SCRIPT) return assetOf('text/javascript; charset=utf-8', Buffer.from(DOCS_SCRIPT));
    const type = FILES.get(name);
    if (type === undefined) throw new CarpoolError('NOT_FOUND', `there is no /docs/${name.slice(0, 100)}`);
    return assetOf(type, await readFile(resolve(`swagger-ui-dist/${name}`)));
  };

  /** A failure is not kept, nor a name that a client made up. */
  const assetAt = async (name: string): Promise<Asset> => {
    const asset = assets.get(name) ?? load(name);
    assets.set(name, asset);
    try {
      return await asset;
    } catch (error) {
      assets.delete(name);
      throw error;
    }
  };

  return [
    {
      path: '/docs',
      needs: 'read',
      get: async (req, res, exchange) => {
        const page = docsPage(/^[^?]*\/(?:\?|$)/.test(req.url ?? '') ? '' : 'docs/');
        const asset = assetOf('text/html; charset=utf-8', Buffer.from(page));
        const headers = { 'content-security-policy': DOCS_POLICY, 'referrer-policy': 'no-referrer' };
        await sendAsset(req, res, exchange, asset, { ...REVALIDATE, ...headers });
      },
    },
    {
      path: '/docs/:file',
      needs: 'read',
      get: async (req, res, exchange) =>
        sendAsset(req, res, exchange, await assetAt(pathParam(req, 'file')), REVALIDATE),
    },
  ];
};
