import { loadFor, unloadFor } from '../../access/admin-calls.js';
import { readBody, type BodyLimits } from '../../http/body.js';
import { sendJson } from '../../http/reply.js';
import { pathParam, type Handler, type HttpRequest, type Route } from '../../http/router.js';
import type { Registry } from '../../models/registry.js';
import { describe, isObject, quoted } from '../json/describe.js';
import { parseJson } from '../json/parse-json.js';
import { field, optionalFlag, refuse, type Body } from '../own/fields.js';
import { isModelName } from '../own/parse.js';
import { oipError } from './errors.js';
import { parametersOf } from './parameters.js';
import { repositoryIndex } from './repository.js';

export interface RepositoryRoutesDeps {
  readonly registry: Registry;
  /** Absolute folder of the models. */
  readonly root: string;
  readonly body: BodyLimits;
  readonly guardAdmin: (handler: Handler) => Handler;
}

/** Triton's model repository extension. */
export const repositoryRoutes = ({
  registry,
  root,
  body,
  guardAdmin,
}: RepositoryRoutesDeps): readonly Route[] => {
  const objectOf = async (req: HttpRequest): Promise<Body> => {
    const bytes = await readBody(req, body);
    if (bytes.byteLength === 0) return {};
    const value = parseJson(bytes);
    if (isObject(value)) return value;
    throw refuse('body', `expected an object or nothing, got ${describe(value)}`);
  };

  const index: Handler = async (req, res, exchange) => {
    const readyOnly = optionalFlag(await objectOf(req), 'ready') ?? false;
    sendJson(res, 200, await repositoryIndex(registry, root, readyOnly, exchange.principal));
  };

  const load: Handler = async (req, res, exchange) => {
    const name = pathParam(req, 'm');
    requireNoOverrides(parametersOf(await objectOf(req), 'request'));
    requireModelName(name);
    await loadFor(registry, exchange, name, undefined);
    sendJson(res, 200, {});
  };

  const unload: Handler = async (req, res, exchange) => {
    // The body may ask for `unload_dependents`: no model has any.
    await objectOf(req);
    await unloadFor(registry, exchange, pathParam(req, 'm'));
    sendJson(res, 200, {});
  };

  return [
    { path: '/v2/repository/index', needs: 'read', post: index, error: oipError },
    { path: '/v2/repository/models/:m/load', needs: 'manage', post: guardAdmin(load), error: oipError },
    { path: '/v2/repository/models/:m/unload', needs: 'manage', post: guardAdmin(unload), error: oipError },
  ];
};

/** @throws CarpoolError INVALID_REQUEST: it becomes a path below the model root */
export const requireModelName = (name: string): void => {
  if (!isModelName(name))
    throw refuse(
      'model',
      `expected a name of 1 to 128 letters, digits, "." "_" "-", a letter or digit first, got ${quoted(name)}`,
    );
};

/** @throws CarpoolError INVALID_REQUEST: models come from the server's disk only, and their settings from its files */
export const requireNoOverrides = (parameters: Body): void => {
  if (field(parameters, 'config') !== undefined)
    throw refuse(
      'parameters.config',
      'a model can not be given a configuration here; put it into its model.yaml',
    );
  const file = Object.keys(parameters).find((key) => key.startsWith('file:'));
  if (file !== undefined)
    throw refuse(`parameters.${quoted(file)}`, 'a model can not be sent; put its files into the model root');
};
