import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Codec } from '../../codec/codec.js';
import type { RenderInput } from '../../codec/render.js';
import { readBody } from '../../http/body.js';
import { requireJson } from '../../http/content-type.js';
import type { Exchange } from '../../http/exchange.js';
import { send } from '../../http/reply.js';
import { pathParam, type Handler, type HttpRequest, type Route } from '../../http/router.js';
import type { InferRequest } from '../../infer.js';
import { costOf } from '../../models/cost-report.js';
import type { Registry } from '../../models/registry.js';
import type { ServedModel } from '../../models/served-model.js';
import type { Pipeline } from '../../pipeline.js';
import { parseJson } from '../json/parse-json.js';
import { parseLoad } from './parse.js';
import { renderModel, renderModels, type ModelAndCost } from './render.js';

export interface OwnRoutesDeps {
  readonly registry: Registry;
  readonly pipeline: Pipeline;
  readonly codec: Codec;
  readonly guardAdmin: (handler: Handler) => Handler;
  readonly limits: {
    readonly bodyLimitBytes: number;
    readonly bodyTimeoutMs: number;
    readonly maxRequestRows: number;
  };
}

/** Our own surface: `/predict` for raw texts, `/v1/models` for everything else. */
export const ownRoutes = (deps: OwnRoutesDeps): readonly Route[] => {
  const { registry, codec, guardAdmin, limits } = deps;

  const body = (req: HttpRequest): Promise<Uint8Array> => {
    requireJson(req);
    return readBody(req, { limitBytes: limits.bodyLimitBytes, timeoutMs: limits.bodyTimeoutMs });
  };

  const predict: Handler = async (req, res, exchange) => {
    const bytes = await body(req);
    const request = await codec.parse(
      { route: 'predict', bytes, maxRows: limits.maxRequestRows },
      exchange.signal,
    );
    await answer(deps, 'predict', registry.textModel(request.model), request, res, exchange);
  };

  const infer: Handler = async (req, res, exchange) => {
    const asked = pathParam(req, 'm');
    registry.get(asked);
    const bytes = await body(req);
    // A body may take long: by now another version may have the name.
    const model = registry.get(asked);
    const { name, signature, batch, card, takesTexts } = model.info;
    const features = card.features;
    const view = { name, signature, batch, takesTexts, maxRows: limits.maxRequestRows };
    const request = await model.during(() =>
      codec.parse(
        { route: 'infer', bytes, view: features === undefined ? view : { ...view, features } },
        exchange.signal,
      ),
    );
    await answer(deps, 'infer', model, request, res, exchange);
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
      get: (req, res) => sendText(res, renderModel(withCost(registry.get(pathParam(req, 'm'))))),
      delete: guardAdmin(unload),
    },
    { path: '/v1/models/:m/infer', post: infer },
  ];
};

const withCost = (model: ServedModel): ModelAndCost => ({ info: model.info, cost: costOf(model) });

const sendText = (res: ServerResponse, body: string | Uint8Array, headers?: OutgoingHttpHeaders): void =>
  void send(res, 200, 'application/json', body, headers);

const answer = async (
  { pipeline, codec }: OwnRoutesDeps,
  kind: RenderInput['kind'],
  model: ServedModel,
  request: InferRequest,
  res: ServerResponse,
  exchange: Exchange,
): Promise<void> => {
  const { info } = model;
  exchange.model = info.name;
  exchange.rows = request.input.kind === 'texts' ? request.input.texts.length : request.input.rows;
  const result = await pipeline.infer(model, request, exchange);
  const { encodeMs, queueMs, runMs, batchRows } = result.timings;
  Object.assign(exchange, { encodeMs, queueMs, runMs, batchRows });
  sendText(res, await codec.render({ kind, info, request, result }, exchange.signal));
};
