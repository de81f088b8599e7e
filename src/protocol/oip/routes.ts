import type { ServerResponse } from 'node:http';
import { modelsFor } from '../../access/allowed-models.js';
import type { Action } from '../../access/need.js';
import type { Codec } from '../../codec/codec.js';
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
      modelOfVersion(modelsFor(registry, exchange, action), pathParam(req, 'm'), versionIn(req));
  const modelOf = modelFor('read');
  /** All versions of the model in the path, or the one there. */
  const modelsOf: (...call: Parameters<ModelOf>) => readonly ServedModel[] = (req, exchange) => {
    const one = modelOf(req, exchange);
    return versionIn(req) === '' ? registry.group(one.info.name).models : [one];
  };

  const metadata: Handler = (req, res, exchange) => {
    const { info } = modelOf(req, exchange);
    sendJson(res, 200, modelMetadata(info, versionsOf(registry, info.name)));
  };

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
      get: (_req, res, { principal }) => {
        const models = registry.allVersions.filter(({ info }) => principal.may('read', info.name));
        sendJson(res, 200, { model_stats: models.map(statisticsOf) });
      },
      error: oipError,
    },
    ...ofModel('', { get: metadata }),
    ...ofModel('/ready', { get: modelReady }),
    ...ofModel('/config', {
      get: (req, res, exchange) => void sendJson(res, 200, modelConfig(modelOf(req, exchange).info)),
    }),
    ...ofModel('/stats', {
      get: (req, res, exchange) =>
        void sendJson(res, 200, { model_stats: modelsOf(req, exchange).map(statisticsOf) }),
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

/** '' = none in the path. */
const versionIn = (req: HttpRequest): string => (Object.hasOwn(req.params, 'v') ? pathParam(req, 'v') : '');

/**
 * @param version '' = the caller's, or the default one where no request is to be run
 * @throws CarpoolError MODEL_NOT_FOUND (also for a version that is not loaded), MODEL_UNAVAILABLE
 */
export const modelOfVersion = (models: ModelLookup, name: string, version: string): ServedModel =>
  models.get(name, version);

/** Those loaded. */
export const versionsOf = (registry: Registry, name: string): readonly string[] =>
  registry.group(name).models.map(({ info }) => info.card.version);

/** 200, or 503 with the reason. */
const sendState = (
  res: ServerResponse,
  { ok, reason }: { readonly ok: boolean; readonly reason?: string },
  body: object,
): void => {
  const shown = ok ? body : { ...body, error: reason ?? 'unavailable' };
  sendJson(res, ok ? 200 : 503, shown, { 'cache-control': 'no-store' });
};
