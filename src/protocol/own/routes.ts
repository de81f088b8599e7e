import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
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
    const models = registry.seenBy(exchange.caller);
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

  const load: Handler = async (req, res) => {
    const { name, path } = parseLoad(parseJson(await body(req)));
    const { info } = await registry.load(name, path);
    const inputs = info.signature.inputs.map((input) => input.name).join(', ');
    sendText(res, JSON.stringify({ status: 'loaded', name, message: `${name} is ready: ${inputs}` }));
  };

  const unload: Handler = async (req, res) => {
    const name = pathParam(req, 'm');
    await registry.unload(name);
    sendText(res, JSON.stringify({ status: 'unloaded', name, message: `${name} has finished its work` }));
  };

  return [
    { path: '/predict', post: predict },
    {
      path: '/v1/models',
      get: (_req, res) => sendText(res, renderModels(registry.all.map(withCost))),
      post: guardAdmin(load),
    },
    {
      path: '/v1/models/:m',
      get: (req, res) => sendText(res, renderModel(withVersions(registry, pathParam(req, 'm')))),
      delete: guardAdmin(unload),
    },
    { path: '/v1/models/:m/infer', post: infer },
    { path: '/v1/models/:m/versions/:v/infer', post: infer },
  ];
};

/** By name: whoever takes anything (a star) gets the usual answer. */
const wantsLines = ({ headers: { accept } }: HttpRequest): boolean =>
  accept?.toLowerCase().includes('application/x-ndjson') === true;

/** The version in the path, else the caller's. */
const modelOf = (registry: Registry, req: HttpRequest, { caller }: Exchange): ServedModel => {
  const name = pathParam(req, 'm');
  return Object.hasOwn(req.params, 'v')
    ? registry.get(name, pathParam(req, 'v'))
    : registry.seenBy(caller).get(name);
};

const withVersions = (registry: Registry, name: string): ModelAndCost => {
  const group = registry.group(name);
  const versions = group.models.map(({ info }) => info.card.version);
  return { ...withCost(group.current), ...(group.parts.isVersioned ? { versions } : {}) };
};

const withCost = (model: ServedModel): ModelAndCost => ({ info: model.info, cost: costOf(model) });

const sendText = (res: ServerResponse, body: string | Uint8Array, headers?: OutgoingHttpHeaders): void =>
  void send(res, 200, 'application/json', body, headers);
