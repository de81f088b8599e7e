import type { Handler, Route } from '../../http/router.js';
import { chooseModel, isFor } from '../common/choose-model.js';
import { jsonBodyReader, type ProtocolDeps } from '../common/deps.js';
import { openAiError } from './errors.js';

/** OpenAI's embeddings. `GET /v1/models` is our own route, which has their fields too. */
export const openAiRoutes = ({ registry, codec, responder, limits }: ProtocolDeps): readonly Route[] => {
  const body = jsonBodyReader(limits);
  const embeddings: Handler = async (req, res, exchange) => {
    const bytes = await body(req);
    const parsed = await codec.parse(
      { route: 'openai', bytes, maxRows: limits.maxRequestRows },
      exchange.signal,
    );
    const models = registry.seenBy(exchange.caller);
    const model = chooseModel(models, parsed.request.model, isFor('embedding'), 'embeddings');
    await responder.answer(model, parsed, res, exchange);
  };
  // The second is how text-embeddings-inference has it, too.
  return ['/v1/embeddings', '/embeddings'].map((path) => ({ path, post: embeddings, error: openAiError }));
};
