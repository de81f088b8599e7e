import type { ServerResponse } from 'node:http';
import { modelsFor } from '../../access/allowed-models.js';
import { sendJson, send } from '../../http/reply.js';
import type { Exchange } from '../../http/exchange.js';
import type { Handler, HttpRequest, Route } from '../../http/router.js';
import type { ModelLookup } from '../../models/model-lookup.js';
import type { ServedModel } from '../../models/served-model.js';
import { chooseModel, isFor } from '../common/choose-model.js';
import { jsonBodyReader, type ProtocolDeps } from '../common/deps.js';
import type { Parsed } from '../parse.js';
import type { TeiCall } from './answer.js';
import { teiError } from './errors.js';
import { teiInfo } from './info.js';
import { answerTei, teiAnswerOf } from './run.js';

/** text-embeddings-inference: docs/protocols.md. Its `/predict` shares a path with ours, which hands it over. */
export const teiRoutes = ({ registry, codec, responder, limits }: ProtocolDeps): readonly Route[] => {
  const body = jsonBodyReader(limits);
  const parse = async (call: TeiCall, req: HttpRequest, exchange: Exchange): Promise<Parsed> => {
    const bytes = await body(req);
    return codec.parse({ route: 'tei', call, bytes, maxRows: limits.maxRequestRows }, exchange.signal);
  };

  const run =
    (call: TeiCall, modelOf: (models: ModelLookup, name: string | undefined) => ServedModel): Handler =>
    async (req, res, exchange) => {
      const parsed = await parse(call, req, exchange);
      const models = modelsFor(registry, exchange, 'infer');
      await answerTei(responder, modelOf(models, parsed.request.model), parsed, res, exchange);
    };

  const embedder = (models: ModelLookup, name: string | undefined): ServedModel =>
    chooseModel(models, name, isFor('embedding'), 'embeddings');
  const reranker = (models: ModelLookup, name: string | undefined): ServedModel =>
    chooseModel(models, name, isFor('rerank'), 'reranking');

  const tokens =
    (call: 'tokenize' | 'decode'): Handler =>
    async (req, res, exchange) => {
      const parsed = await parse(call, req, exchange);
      const answer = teiAnswerOf(parsed);
      const { input, model: name } = parsed.request;
      const model = modelsFor(registry, exchange, 'infer').textModel(name);
      const { key, info } = model;
      exchange.model = info.name;
      const { signal } = exchange;
      if (answer.call === 'tokenize' && input.kind === 'texts') {
        const { texts } = input;
        sendJsonBytes(res, await model.during(() => codec.tokenize(key, texts, answer.special, signal)));
      } else if (answer.call === 'decode' && input.kind === 'ids')
        sendJsonBytes(res, await model.during(() => codec.decode(key, input, answer.skipSpecial, signal)));
    };

  const info: Handler = (req, res, exchange) => {
    const name = new URLSearchParams(/\?(.*)/s.exec(req.url ?? '')?.[1]).get('model') ?? undefined;
    const { info } = modelsFor(registry, exchange, 'read').textModel(name);
    sendJson(res, 200, teiInfo(info, limits.maxRequestRows));
  };

  const paths: Readonly<Record<string, Pick<Route, 'get' | 'post'>>> = {
    '/embed': { post: run('embed', embedder) },
    '/embed_all': { post: run('embed_all', embedder) },
    '/rerank': { post: run('rerank', reranker) },
    '/similarity': { post: run('similarity', embedder) },
    '/tokenize': { post: tokens('tokenize') },
    '/decode': { post: tokens('decode') },
    '/info': { get: info },
  };
  return Object.entries(paths).map(([path, handlers]) => ({
    path,
    needs: { get: 'read', post: 'infer' },
    ...handlers,
    error: teiError,
  }));
};

const sendJsonBytes = (res: ServerResponse, json: Uint8Array): void =>
  void send(res, 200, 'application/json', json);
