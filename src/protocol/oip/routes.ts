import type { ServerResponse } from 'node:http';
import { modelsFor } from '../../access/allowed-models.js';
import type { Action } from '../../access/need.js';
import type { Codec } from '../../codec/codec.js';
import { CarpoolError } from '../../errors.js';
import type { HealthView } from '../../http/health-routes.js';
import { sendJson } from '../../http/reply.js';
import { pathParam, type Handler, type HttpRequest, type Route } from '../../http/router.js';
import type { ModelLookup } from '../../models/model-lookup.js';
import type { Registry } from '../../models/registry.js';
import type { ServedModel } from '../../models/served-model.js';
import { VERSION } from '../../version.js';
import type { Responder } from '../respond.js';
import { oipError } from './errors.js';
import { inferHandler, type ModelOf } from './infer-route.js';
import { EXTENSIONS, modelConfig, modelMetadata } from './metadata.js';
import { repositoryRoutes } from './repository-routes.js';
import { statisticsOf } from './statistics.js';

export interface OipRoutesDeps {
  readonly registry: Registry;
  readonly codec: Codec;
  readonly responder: Responder;
  readonly health: HealthView;
  readonly guardAdmin: (handler: Handler) => Handler;
  /** Absolute folder of the models. */
  readonly modelRoot: string;
  readonly limits: {
    readonly bodyLimitBytes: number;
    readonly bodyTimeoutMs: number;
    readonly maxRequestRows: number;
  };
}

/** Open Inference Protocol v2 over REST, with Triton's extensions: docs/protocols.md. */
export const oipRoutes = (deps: OipRoutesDeps): readonly Route[] => {
  const { registry, codec, responder, health, guardAdmin, modelRoot, limits } = deps;
  const body = { limitBytes: limits.bodyLimitBytes, timeoutMs: limits.bodyTimeoutMs };
  const modelFor =
    (action: Action): ModelOf =>
    (req, exchange) =>
      servedModel(modelsFor(registry, exchange, action), req);
  const modelOf = modelFor('read');

  const modelReady: Handler = (req, res, exchange) => {
    const { name } = modelOf(req, exchange).info;
    const state = health.model(name);
    sendState(res, state, { name, ready: state.ok });
  };

  /** The same paths without and with a version. */
  const ofModel = (tail: string, route: Pick<Route, 'get' | 'post'>): readonly Route[] =>
    ['/v2/models/:m', '/v2/models/:m/versions/:v'].map((path) => ({
      ...route,
      needs: { get: 'read', post: 'infer' },
      path: path + tail,
      error: oipError,
    }));

  return [
    {
      path: '/v2/health/live',
      needs: 'public',
      get: (_req, res) => sendState(res, health.live(), { live: health.live().ok }),
      error: oipError,
    },
    {
      path: '/v2/health/ready',
      needs: 'public',
      get: (_req, res) => sendState(res, health.ready(), { ready: health.ready().ok }),
      error: oipError,
    },
    {
      path: '/v2',
      needs: 'read',
      get: (_req, res) =>
        void sendJson(res, 200, { name: 'carpool', version: VERSION, extensions: EXTENSIONS }),
      error: oipError,
    },
    // Before the models: one that is called `stats` has its metadata under its version only.
    {
      path: '/v2/models/stats',
      needs: 'read',
      get: (_req, res, exchange) =>
        void sendJson(res, 200, { model_stats: modelsFor(registry, exchange, 'read').all.map(statisticsOf) }),
      error: oipError,
    },
    ...ofModel('', {
      get: (req, res, exchange) => void sendJson(res, 200, modelMetadata(modelOf(req, exchange).info)),
    }),
    ...ofModel('/ready', { get: modelReady }),
    ...ofModel('/config', {
      get: (req, res, exchange) => void sendJson(res, 200, modelConfig(modelOf(req, exchange).info)),
    }),
    ...ofModel('/stats', {
      get: (req, res, exchange) =>
        void sendJson(res, 200, { model_stats: [statisticsOf(modelOf(req, exchange))] }),
    }),
    ...ofModel('/infer', {
      post: inferHandler({
        ...{ codec, responder, body },
        modelOf: modelFor('infer'),
        maxRows: limits.maxRequestRows,
      }),
    }),
    ...repositoryRoutes({ registry, root: modelRoot, body, guardAdmin }),
  ];
};

/** @throws CarpoolError MODEL_NOT_FOUND (also for a version that is not the one loaded), MODEL_UNAVAILABLE */
const servedModel = (models: ModelLookup, req: HttpRequest): ServedModel =>
  modelOfVersion(models, pathParam(req, 'm'), Object.hasOwn(req.params, 'v') ? pathParam(req, 'v') : '');

/** @param version '' = any */
export const modelOfVersion = (models: ModelLookup, name: string, version: string): ServedModel => {
  const model = models.get(name);
  const loaded = model.info.card.version;
  if (version === '' || version === loaded) return model;
  throw new CarpoolError(
    'MODEL_NOT_FOUND',
    `model '${name}' has no version '${version.slice(0, 128)}'; loaded: ${loaded}`,
  );
};

/** 200, or 503 with the reason. */
const sendState = (
  res: ServerResponse,
  { ok, reason }: { readonly ok: boolean; readonly reason?: string },
  body: object,
): void => {
  const shown = ok ? body : { ...body, error: reason ?? 'unavailable' };
  sendJson(res, ok ? 200 : 503, shown, { 'cache-control': 'no-store' });
};
