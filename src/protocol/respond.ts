import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { joinCacheUse } from '../cache/cache-use.js';
import { requireRight } from '../access/principal.js';
import type { Codec } from '../codec/codec.js';
import type { Exchange } from '../http/exchange.js';
import { send } from '../http/reply.js';
import { rowsOfInput, type InferResult } from '../infer.js';
import type { ServedModel } from '../models/served-model.js';
import type { Traffic } from '../models/versions/traffic.js';
import type { Pipeline } from '../pipeline.js';
import type { TrackedRequest } from '../tracked-request.js';
import type { Parsed } from './parse.js';

/** The second half of every protocol's handler. */
export interface Responder {
  /**
   * Runs a request and notes its times in the exchange; the answer is the caller's to send.
   * @throws CarpoolError FORBIDDEN where the caller may not infer with the model, and as `Pipeline.infer`
   */
  run(
    model: ServedModel,
    parsed: Pick<Parsed, 'request'>,
    exchange: TrackedRequest,
    /** Hears of every item as soon as its ride is in, see Pipeline.infer. */
    onItem?: (index: number, result: InferResult) => void,
  ): Promise<InferResult>;
  /** Runs it and sends the JSON that its `answer` asks for. */
  answer(
    model: ServedModel,
    parsed: Parsed,
    res: ServerResponse,
    exchange: Exchange,
    headers?: (result: InferResult) => OutgoingHttpHeaders,
  ): Promise<void>;
}

/** @param traffic hears of every request */
export const createResponder = (
  pipeline: Pipeline,
  codec: Codec,
  traffic?: Pick<Traffic, 'routed' | 'answered'>,
): Responder => {
  const run: Responder['run'] = async (model, { request }, exchange, onItem) => {
    // Whatever chose the model: nothing runs past this without the right to it.
    requireRight(exchange, 'infer', model.info.name);
    exchange.model = model.info.name;
    exchange.version = model.info.card.version;
    const rows = rowsOfInput(request.input);
    exchange.rows = rows;
    exchange.trace?.mark('parsed');
    traffic?.routed(model);
    const answer = pipeline.infer(model, request, exchange, onItem);
    const result = await model.stats.watch(rows, () => exchange.elapsedMs, answer);
    const { encodeMs, queueMs, runMs, batchRows } = result.timings;
    const cache = joinCacheUse(exchange.cache, result.cache);
    Object.assign(exchange, { encodeMs, queueMs, runMs, batchRows, cache });
    traffic?.answered(model, request, result, exchange);
    return result;
  };
  return {
    run,
    answer: async (model, parsed, res, exchange, headers) => {
      const result = await run(model, parsed, exchange);
      const { request, answer } = parsed;
      const body = await codec.render({ answer, info: model.info, request, result }, exchange.signal);
      send(res, 200, 'application/json', body, headers?.(result));
    },
  };
};
