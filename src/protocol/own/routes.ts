import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { loadFor, unloadFor } from '../../access/admin-calls.js';
import { modelsFor } from '../../access/allowed-models.js';
import type { Codec } from '../../codec/codec.js';
import { readBody } from '../../http/body.js';
import { requireJson } from '../../http/content-type.js';
import { send } from '../../http/reply.js';
import type { Exchange } from '../../http/exchange.js';
import { pathParam, type Handler, type HttpRequest, type Route } from '../../http/router.js';
import { costOf } from '../../models/cost-report.js';
import type { Registry } from '../../models/registry.js';
import type { ServedModel } from '../../models/served-model.js';
import { parseJson } from '../json/parse-json.js';
import type { Parsed } from '../parse.js';
import type { Responder } from '../respond.js';
import { predictErrorShape } from '../tei/errors.js';
import { answerTei, teiClassifier } from '../tei/run.js';
import { imageRequest, isImageBody, isImageType } from './image-body.js';
import { parseLoad } from './parse.js';
import { streamTexts } from './stream.js';
import { fitToTask } from './task-fit.js';
import { renderModel, renderModels, type ModelAndCost } from './render.js';

export interface OwnRoutesDeps {
  readonly registry: Registry;
  readonly codec: Codec;
  readonly responder: Responder;
  readonly guardAdmin: (handler: Handler) => Handler;
  readonly limits: {
    readonly bodyLimitBytes: number;
    readonly bodyTimeoutMs: number;
    readonly maxRequestRows: number;
  };
}

/** Our own surface: `/predict` for raw texts, `/v1/models` for everything else. */
export const ownRoutes = ({
  registry,
  codec,
  responder,
  guardAdmin,
  limits,
}: OwnRoutesDeps): readonly Route[] => {
  const anyBody = (req: HttpRequest): Promise<Uint8Array> =>
    readBody(req, { limitBytes: limits.bodyLimitBytes, timeoutMs: limits.bodyTimeoutMs });
  const body = (req: HttpRequest): Promise<Uint8Array> => {
    requireJson(req);
    return anyBody(req);
  };

  const answerTexts = async (
    model: ServedModel,
    asked: Parsed,
    req: HttpRequest,
    res: ServerResponse,
    exchange: Exchange,
  ): Promise<void> => {
    const parsed = fitToTask(model.info, asked);
    if (wantsLines(req) && parsed.request.input.kind === 'texts')
      await streamTexts({ codec, responder }, model, parsed, res, exchange);
    else await responder.answer(model, parsed, res, exchange);
  };

  const predict: Handler = async (req, res, exchange) => {
    const bytes = await body(req);
    exchange.errorShape = predictErrorShape(bytes);
    const parsed = await codec.parse(
      { route: 'predict', bytes, maxRows: limits.maxRequestRows },
      exchange.signal,
    );
    const name = parsed.request.model;
    const models = modelsFor(registry, exchange, 'infer');
    if (parsed.answer.kind === 'tei')
      await answerTei(responder, teiClassifier(models, name), parsed, res, exchange);
    else await answerTexts(models.textModel(name), parsed, req, res, exchange);
  };

  const infer: Handler = async (req, res, exchange) => {
    const takesImages = modelOf(registry, req, exchange).info.card.task === 'image-classification';
    const bytes = await (takesImages && isImageType(req) ? anyBody(req) : body(req));
    // A body may take long: by now another version may have the name.
    const model = modelOf(registry, req, exchange);
    if (takesImages && isImageBody(req, bytes)) {
      await responder.answer(model, imageRequest(model.info, bytes, req.url), res, exchange);
      return;
    }
    const { name, signature, batch, card, takesTexts } = model.info;
    const features = card.features;
    const view = { name, signature, batch, takesTexts, takesImages, maxRows: limits.maxRequestRows };
    const parsed = await model.during(() =>
      codec.parse(
        { route: 'infer', bytes, view: features === undefined ? view : { ...view, features } },
        exchange.signal,
      ),
    );
    await answerTexts(model, parsed, req, res, exchange);
  };

  const load: Handler = async (req, res, exchange) => {
    const { name, path } = parseLoad(parseJson(await body(req)));
    exchange.model = name;
    const { info } = await loadFor(registry, exchange, name, path);
    const inputs = info.signature.inputs.map((input) => input.name).join(', ');
    sendText(res, JSON.stringify({ status: 'loaded', name, message: `${name} is ready: ${inputs}` }));
  };

  const unload: Handler = async (req, res, exchange) => {
    const name = pathParam(req, 'm');
    await unloadFor(registry, exchange, name);
    sendText(res, JSON.stringify({ status: 'unloaded', name, message: `${name} has finished its work` }));
  };

  return [
    { path: '/predict', needs: 'infer', post: predict },
    {
      path: '/v1/models',
      needs: { get: 'read', post: 'manage' },
      get: (_req, res, exchange) =>
        sendText(res, renderModels(modelsFor(registry, exchange, 'read').all.map(withCost))),
      post: guardAdmin(load),
    },
    {
      path: '/v1/models/:m',
      needs: { get: 'read', delete: 'manage' },
      get: (req, res, exchange) => {
        const name = pathParam(req, 'm');
        modelsFor(registry, exchange, 'read').get(name);
        sendText(res, renderModel(withVersions(registry, name)));
      },
      delete: guardAdmin(unload),
    },
    { path: '/v1/models/:m/infer', needs: 'infer', post: infer },
    { path: '/v1/models/:m/versions/:v/infer', needs: 'infer', post: infer },
  ];
};

/** By name: whoever takes anything (a star) gets the usual answer. */
const wantsLines = ({ headers: { accept } }: HttpRequest): boolean =>
  accept?.toLowerCase().includes('application/x-ndjson') === true;

/** The version in the path, else the caller's. */
const modelOf = (registry: Registry, req: HttpRequest, exchange: Exchange): ServedModel =>
  modelsFor(registry, exchange, 'infer').get(
    pathParam(req, 'm'),
    Object.hasOwn(req.params, 'v') ? pathParam(req, 'v') : '',
  );

const withVersions = (registry: Registry, name: string): ModelAndCost => {
  const group = registry.group(name);
  const versions = group.models.map(({ info }) => info.card.version);
  return { ...withCost(group.current), ...(group.parts.isVersioned ? { versions } : {}) };
};

const withCost = (model: ServedModel): ModelAndCost => ({
  info: model.info,
  cost: costOf(model),
  circuit: model.guard.circuit,
});

const sendText = (res: ServerResponse, body: string | Uint8Array, headers?: OutgoingHttpHeaders): void =>
  void send(res, 200, 'application/json', body, headers);
