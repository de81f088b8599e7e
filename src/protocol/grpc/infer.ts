import type { Codec } from '../../codec/codec.js';
import type { Registry } from '../../models/registry.js';
import { modelOfVersion } from '../oip/routes.js';
import type { ParseView } from '../own/parse.js';
import type { Responder } from '../respond.js';
import type { GrpcExchange } from './exchange.js';
import type { ModelInferRequest, ModelInferResponse } from './messages.js';
import { answerOf, optionsIn, parseInferRequest, requireOneForm, type ParsedInfer } from './parse-infer.js';
import { inferResponse } from './render-infer.js';

export interface InferDeps {
  readonly registry: Registry;
  readonly codec: Codec;
  readonly responder: Responder;
  readonly maxRows: number;
}

export type Infer = (message: ModelInferRequest, exchange: GrpcExchange) => Promise<ModelInferResponse>;

/** Strings are decoded one by one: more bytes of them than this are a job for the codec thread. */
const INLINE_STRING_BYTES = 65_536;

export const createInfer =
  ({ registry, codec, responder, maxRows }: InferDeps): Infer =>
  async (message, exchange) => {
    const model = modelOfVersion(registry, message.model_name, message.model_version, exchange.caller);
    const { info } = model;
    const { name, signature, batch, takesTexts } = info;
    exchange.model = name;
    const view: ParseView = { name, signature, batch, takesTexts, maxRows };
    const { request, answer } = hasManyStrings(message)
      ? await model.during(() => parseInThread(message, view, codec, exchange))
      : parseInferRequest(message, view);
    const deadlineMs = exchange.timeoutMs() ?? Infinity;
    const timeoutMs = Math.min(deadlineMs, request.options.timeoutMs ?? info.batching.timeoutMs);
    const timed = { ...request, options: { ...request.options, timeoutMs } };
    const result = await responder.run(model, { request: timed }, exchange);
    return inferResponse(info, answer, result);
  };

const hasManyStrings = ({ inputs, raw_input_contents: raws }: ModelInferRequest): boolean =>
  inputs.some(
    ({ datatype }, at) => datatype === 'BYTES' && (raws[at]?.byteLength ?? 0) > INLINE_STRING_BYTES,
  );

/** As a body of the protocol's REST form, for which the thread has a parser. */
const parseInThread = async (
  message: ModelInferRequest,
  view: ParseView,
  codec: Codec,
  exchange: GrpcExchange,
): Promise<ParsedInfer> => {
  requireOneForm(message);
  const raws = message.raw_input_contents;
  const inputs = message.inputs.map(({ name, datatype, shape }, at) => ({
    ...{ name, datatype, shape: shape.map(Number) },
    parameters: { binary_data_size: raws[at]?.byteLength ?? 0 },
  }));
  const json = Buffer.from(JSON.stringify({ inputs, parameters: { binary_data_output: true } }));
  const bytes = Buffer.concat([json, ...raws]);
  const parsed = await codec.parse(
    { route: 'oip', bytes, jsonBytes: json.byteLength, view },
    exchange.signal,
  );
  return { request: { ...parsed.request, options: optionsIn(message) }, answer: answerOf(message, view) };
};
