import type { ErrorCode } from '../../src/errors.js';
import { BODY_LIMIT_BYTES } from './model-root.js';
import { requestHead } from './raw-connection.js';
import type { SeededRandom } from './seeded-random.js';

/** A request that is sent whole and must be refused in exactly this way. */
export interface BadRequest {
  readonly bytes: Uint8Array;
  /** The table of errors says with which status. */
  readonly code: ErrorCode;
  /** It is no HTTP, or lies about its length: the connection can't be used again. */
  readonly spoilsConnection?: true;
}

const INFER_FRAUD = '/v1/models/fraud_detector/infer';

const bad = (
  path: string,
  body: string | Uint8Array,
  code: ErrorCode = 'INVALID_REQUEST',
  contentType?: string,
): BadRequest => {
  const bytes = Buffer.from(body);
  return {
    bytes: Buffer.concat([Buffer.from(requestHead('POST', path, bytes.length, contentType)), bytes]),
    code,
  };
};

const texts = (...list: unknown[]): string => JSON.stringify({ texts: list });
const inputs = (value: unknown): string => JSON.stringify({ inputs: value });
const thirty = (value: unknown): unknown[] => Array.from({ length: 30 }, () => value);

/** Broken off somewhere inside, so that it is never valid. */
const truncated = (random: SeededRandom): BadRequest => {
  const body = texts('the offer ends today', 'ä', 'see you at noon');
  return bad('/predict', body.slice(0, random.between(1, body.length - 1)));
};

/** Bytes that are in no UTF-8 text: lone continuation, overlong slash, half of a character, surrogate, 0xff. */
const invalidUtf8 = (random: SeededRandom): BadRequest => {
  const wrong = random.pick([[0x80], [0xc0, 0xaf], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xff]]);
  return bad('/predict', Buffer.concat([Buffer.from('{"texts":["'), Buffer.from(wrong), Buffer.from('"]}')]));
};

const wrongTypes: readonly BadRequest[] = [
  bad('/predict', 'null'),
  bad('/predict', '[]'),
  bad('/predict', '{"texts":"not a list"}'),
  bad('/predict', texts()),
  bad('/predict', texts('fine', 7)),
  bad('/predict', texts(null)),
  bad('/predict', '{"texts":["a"],"timeoutMs":"soon"}'),
  bad('/predict', '{"texts":["a"],"timeoutMs":0}'),
  bad('/predict', '{"texts":["a"],"surplus":1}'),
  bad('/predict', '{"texts":["a"],"__proto__":{"polluted":true}}'),
  bad('/predict', '{"texts":["a"],"model":"fraud_detector"}'),
  bad('/predict', '['.repeat(5_000)),
  bad(INFER_FRAUD, inputs([thirty(0).slice(1)])),
  bad(INFER_FRAUD, inputs([thirty(0), thirty('0')])),
  bad(INFER_FRAUD, inputs([thirty(0), [[1], 2]])),
  bad(INFER_FRAUD, '{"inputs":[[NaN]]}'),
  bad(INFER_FRAUD, inputs({ nonsense: [thirty(0)] })),
  bad(INFER_FRAUD, inputs('rows')),
  bad(INFER_FRAUD, texts('this model takes no texts')),
  bad('/v1/models/spam/infer', '{}'),
  bad('/v1/models/%ff/infer', '{}'),
  bad('/predict', '{"texts":["a"],"model":"constructor"}', 'MODEL_NOT_FOUND'),
  bad('/v1/models/nobody/infer', '{}', 'MODEL_NOT_FOUND'),
  bad('/no/such/path', '{}', 'NOT_FOUND'),
  bad('/health', '{}', 'METHOD_NOT_ALLOWED'),
  bad('/predict', 'texts=hello', 'UNSUPPORTED_MEDIA_TYPE', 'application/x-www-form-urlencoded'),
  bad('/predict', texts(...Array.from({ length: 10_001 }, () => 'x')), 'PAYLOAD_TOO_LARGE'),
  bad('/v1/models', '{"name":"x","path":"../spam"}'),
  bad('/v1/models', '{"name":"__proto__","path":"spam"}'),
];

/** Announces far more than is allowed, and sends a little of it. */
const hugeLength = (random: SeededRandom): BadRequest => {
  const length = random.pick([BODY_LIMIT_BYTES + 1, 2 ** 32, Number.MAX_SAFE_INTEGER]);
  return {
    bytes: Buffer.from(`${requestHead('POST', '/predict', length)}{"texts":["`),
    code: 'PAYLOAD_TOO_LARGE',
    spoilsConnection: true,
  };
};

const noHttp = (random: SeededRandom): BadRequest => ({
  bytes: Buffer.from(
    random.pick([
      'GARBAGE\r\n\r\n',
      '\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc\u0003\u0003\r\n\r\n',
      'POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: -5\r\n\r\n',
      'POST /predict HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n\r\n',
    ]),
    'latin1',
  ),
  code: 'INVALID_REQUEST',
  spoilsConnection: true,
});

export const badRequest = (random: SeededRandom): BadRequest =>
  random.pick([
    truncated,
    invalidUtf8,
    hugeLength,
    noHttp,
    () => random.pick(wrongTypes),
    () => random.pick(wrongTypes),
  ])(random);
