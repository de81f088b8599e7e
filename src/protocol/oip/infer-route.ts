import type { Codec } from '../../codec/codec.js';
import { readBody, type BodyLimits } from '../../http/body.js';
import { compressFor } from '../../http/compress.js';
import { send } from '../../http/reply.js';
import type { Handler, HttpRequest } from '../../http/router.js';
import type { ServedModel } from '../../models/served-model.js';
import { describe } from '../json/describe.js';
import { refuse } from '../own/fields.js';
import type { ParseView } from '../own/parse.js';
import { parseBody, type Parsed } from '../parse.js';
import type { Responder } from '../respond.js';
import type { OipAnswer } from './answer.js';
import { sortOutputs } from './outputs.js';

export const JSON_LENGTH_HEADER = 'inference-header-content-length';

/** JSON up to this size is parsed on the event loop, whatever follows it: numbers behind it cost nothing. */
const INLINE_JSON_BYTES = 65_536;

export interface InferRouteDeps {
  readonly codec: Codec;
  readonly responder: Responder;
  readonly modelOf: (req: HttpRequest, caller: string) => ServedModel;
  readonly body: BodyLimits;
  readonly maxRows: number;
}

/** `POST /v2/models/M/infer`, with JSON, binary data, or both. */
export const inferHandler =
  ({ codec, responder, modelOf, body, maxRows }: InferRouteDeps): Handler =>
  async (req, res, exchange) => {
    modelOf(req, exchange.caller);
    const jsonBytes = jsonLengthOf(req);
    const bytes = await readBody(req, body);
    // A body may take long: by now another version may have the name.
    const model = modelOf(req, exchange.caller);
    const { name, signature, batch, takesTexts } = model.info;
    const view: ParseView = { name, signature, batch, takesTexts, maxRows };
    const input = { route: 'oip', bytes, view, ...(jsonBytes === undefined ? {} : { jsonBytes }) } as const;
    const isCheap = jsonBytes !== undefined && jsonBytes <= INLINE_JSON_BYTES && !carriesStrings(view);
    const parsed = isCheap ? parseBody(input) : await model.during(() => codec.parse(input, exchange.signal));
    const result = await responder.run(model, parsed, exchange);
    const { answer, binary, ...rest } = await sortOutputs(model.info, answerOf(parsed), result);
    const json = await codec.render(
      { answer, info: model.info, request: parsed.request, result: rest.result },
      exchange.signal,
    );
    const framed = answer.outputs.some((output) => output.binary) ? frame(json, binary) : undefined;
    const { body: packed, headers } = await compressFor(req, framed?.body ?? json);
    if (framed === undefined) send(res, 200, 'application/json', packed, headers);
    else
      send(res, 200, 'application/octet-stream', packed, {
        ...headers,
        'Inference-Header-Content-Length': framed.jsonBytes,
      });
  };

/** Strings are decoded one by one: a large body of them is a job for the codec thread. */
const carriesStrings = ({ signature, takesTexts }: ParseView): boolean =>
  takesTexts || signature.inputs.some(({ dtype }) => dtype === 'string');

/** @throws CarpoolError INVALID_REQUEST */
const jsonLengthOf = (req: HttpRequest): number | undefined => {
  const header = req.headers[JSON_LENGTH_HEADER];
  if (header === undefined) return undefined;
  if (typeof header === 'string' && /^\d{1,15}$/.test(header.trim())) return Number(header);
  throw refuse(
    'Inference-Header-Content-Length',
    `expected the number of JSON bytes, got ${describe(header)}`,
  );
};

const answerOf = ({ answer }: Parsed): OipAnswer => {
  if (answer.kind !== 'oip')
    throw new Error(`a request of this protocol was parsed as one of ${answer.kind}`);
  return answer;
};

const frame = (
  json: string | Uint8Array,
  binary: readonly Uint8Array[],
): { readonly body: Uint8Array; readonly jsonBytes: number } => {
  const head = typeof json === 'string' ? Buffer.from(json) : json;
  return { body: Buffer.concat([head, ...binary]), jsonBytes: head.byteLength };
};
