import { assetOf, sendAsset, type Asset } from '../../http/docs-asset.js';
import type { Route } from '../../http/router.js';

/** `GET /openapi.json`: made when it is asked for first, for its schemas take a moment. */
export const openApiRoute = (): Route => {
  let made: Promise<Asset> | undefined;
  return {
    path: '/openapi.json',
    needs: 'read',
    get: async (req, res, exchange) => {
      made ??= makeDocument();
      await sendAsset(req, res, exchange, await made, { 'cache-control': 'no-cache' });
    },
  };
};

const makeDocument = async (): Promise<Asset> => {
  const { openApiDocument } = await import('./document.js');
  return assetOf('application/json', Buffer.from(JSON.stringify(openApiDocument())));
};
