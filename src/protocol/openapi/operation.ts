import type { z } from 'zod';
import type { ErrorCode } from '../../errors.js';
import type { ErrorShape } from '../../http/error-handler.js';

/** A schema and its name under `components.schemas`. */
export interface Named {
  readonly name: string;
  readonly schema: z.ZodType;
}

/** The errors of a route: its protocol's shape, the schema of that shape, and the codes that it may have. */
export interface Errors {
  readonly shape: ErrorShape;
  readonly body: Named;
  readonly codes: readonly ErrorCode[];
}

/** A request that is sent in the tests as it stands here. */
export interface Example {
  readonly name: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly body?: object;
}

export interface Operation {
  /** Each with `{name}` for what changes. */
  readonly paths: readonly string[];
  readonly method: 'get' | 'post' | 'put' | 'delete';
  readonly tag: Tag;
  readonly summary: string;
  readonly description?: string;
  readonly body?: Named;
  /** May the body be left out? */
  readonly bodyOptional?: boolean;
  /** Other types of body that it takes: media type -> what it is. */
  readonly otherBodies?: Readonly<Record<string, string>>;
  /** Absent: the answer is no JSON. */
  readonly answer?: Named;
  /** Media type -> what it is, or the schema of a line. */
  readonly otherAnswers?: Readonly<Record<string, string | Named>>;
  /** Also the answer of 503. */
  readonly answersUnready?: boolean;
  readonly errors: Errors;
  /** Where two protocols share a path. */
  readonly otherErrors?: Errors;
  /** Does it run a model? Then its answer may have `Server-Timing`. */
  readonly runs?: boolean;
  readonly requestHeaders?: readonly HeaderName[];
  readonly query?: readonly QueryName[];
  readonly responseHeaders?: readonly HeaderName[];
  readonly examples: readonly Example[];
}

export const TAGS = {
  Carpool: 'Its own surface',
  'Open Inference Protocol': 'Version 2 over REST, with the extensions of Triton',
  'text-embeddings-inference': 'The paths of text-embeddings-inference; POST /predict is shared with our own',
  OpenAI: "OpenAI's embeddings; GET /v1/models has its fields, too",
  'Hugging Face': 'The Inference API',
  KServe: "KServe's first protocol, which is TensorFlow Serving's REST",
  Server: 'Health, metrics, documentation',
  Admin: 'For requests of no other origin than our own or one of server.allowedOrigins',
} as const;

export type Tag = keyof typeof TAGS;

export const HEADERS = {
  'Inference-Header-Content-Length':
    'Bytes of JSON at the front of a binary body, before compression; 0 = a request of one raw tensor',
  'x-compute-type': 'Always cpu+optimized',
  'x-compute-time': 'Milliseconds',
  'x-compute-characters': 'Unicode code points of the inputs',
  'x-compute-tokens': 'Tokens of the inputs',
  'x-total-time': 'Milliseconds',
  'x-tokenization-time': 'Milliseconds',
  'x-queue-time': 'Milliseconds',
  'x-inference-time': 'Milliseconds',
  'X-Request-Id': 'In the access log, too; the one that the request has, if it has one',
  'Server-Timing':
    'Stages of the request (W3C), where server.serverTiming is on or X-Server-Timing: 1 asked for it',
  'x-carpool-cache':
    'Where a response cache is on: hit, partial (some rows), miss or bypass; absent in a stream of lines',
  Age: 'Seconds since the oldest of the rows that came from the response cache was computed',
  'Retry-After': 'Seconds',
  'X-Server-Timing': '1: answer with Server-Timing',
  ETag: 'For If-None-Match',
} as const;

export type HeaderName = keyof typeof HEADERS;

export const QUERY = {
  model: { type: 'string', description: 'Default: models.default' },
  top_k: { type: 'integer', minimum: 1, description: 'Of a body that is an image' },
  scores: { type: 'boolean', description: 'Of a body that is an image' },
  timeoutMs: { type: 'number', exclusiveMinimum: 0, description: 'Of a body that is an image' },
  priority: { type: 'integer', minimum: 0, description: 'Of a body that is an image' },
} as const;

export type QueryName = keyof typeof QUERY;

export const named = (name: string, schema: z.ZodType): Named => ({ name, schema });
