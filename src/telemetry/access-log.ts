import { createAccessSampler, createRateCap } from './access-sampler.js';
import type { Logger } from './logger.js';
import type { RequestTrace } from './tracing/request-trace.js';

/** What is known of a request when its answer is out. Never bodies, never query strings. */
export interface RequestRecord {
  readonly requestId: string;
  readonly method: string;
  /** The path's pattern, `/v1/models/:m/infer`: few values, fit for a metric's label. */
  readonly route: string;
  /** The path as sent, without its query. */
  readonly path: string;
  /** 499 = the client went away before the answer was out. */
  readonly status: number;
  /** From the request's headers to the answer's last byte. */
  readonly ms: number;
  readonly code: string | undefined;
  readonly model: string | undefined;
  /** That answered, of the model. */
  readonly version?: string | undefined;
  /** Who asked: a key's or a token's name (never itself), else an address. */
  readonly caller?: string;
  readonly rows: number | undefined;
  /** Rows of the largest batch that the request rode in. */
  readonly batchRows: number | undefined;
  readonly bodyMs: number | undefined;
  readonly encodeMs: number | undefined;
  readonly queueMs: number | undefined;
  readonly runMs: number | undefined;
  readonly protocol?: 'http' | 'https' | 'grpc';
  /** Where it came by gRPC and failed. */
  readonly grpcStatus?: number | undefined;
  /** Where traces are on. */
  readonly trace?: RequestTrace | undefined;
  /** Of requests that went through a response cache. */
  readonly cache?: { readonly result: string } | undefined;
}

export interface AccessLogOptions {
  /** Lines a second up to which every request is logged; sampled above it. 0 = errors and slow ones only. */
  readonly accessLogPerSecond: number;
  /** Requests at least this slow are always logged. */
  readonly slowRequestMs: number;
}

export interface AccessLog {
  record(request: RequestRecord, nowMs: number): void;
}

/** Errors and slow requests are "always" logged, up to this: a flood of 429 must not become a flood of lines. */
const URGENT_PER_SECOND_AT_LEAST = 100;
const URGENT_PER_ACCESS_LINE = 5;
const MAX_PATH_CHARS = 256;
/** Of a model's name: as sent, it may be as long as a message. */
export const MAX_MODEL_CHARS = 128;

/**
 * One line a request. A line with `sampledOneIn: N` stands for N requests; one with `suppressed: n` follows n errors or
 * slow requests that were over their own, larger, limit.
 */
export const createAccessLog = (logger: Logger, options: AccessLogOptions): AccessLog => {
  const { accessLogPerSecond, slowRequestMs } = options;
  const sampler = createAccessSampler(accessLogPerSecond);
  const urgent = createRateCap(
    Math.max(URGENT_PER_SECOND_AT_LEAST, URGENT_PER_ACCESS_LINE * accessLogPerSecond),
  );

  const write = (request: RequestRecord, oneIn: number): void => {
    const suppressed = urgent.takeSuppressed();
    const fields = {
      ...fieldsOf(request),
      ...(oneIn > 1 ? { sampledOneIn: oneIn } : undefined),
      ...(suppressed > 0 ? { suppressed } : undefined),
    };
    if (request.status >= 500) logger.warn(fields, 'request');
    else logger.info(fields, 'request');
  };

  return {
    record: (request, nowMs) => {
      if (request.status >= 400 || request.ms >= slowRequestMs) {
        if (urgent.allow(nowMs)) write(request, 1);
        return;
      }
      const line = sampler.sample(nowMs);
      if (line !== undefined) write(request, line.oneIn);
    },
  };
};

const fieldsOf = (request: RequestRecord): object => ({
  requestId: request.requestId,
  method: request.method,
  route: request.route,
  path: request.path.slice(0, MAX_PATH_CHARS),
  status: request.status,
  ms: rounded(request.ms),
  code: request.code,
  caller: request.caller === '' ? undefined : request.caller,
  model: request.model?.slice(0, MAX_MODEL_CHARS),
  version: request.version,
  rows: request.rows,
  batchRows: request.batchRows,
  cache: request.cache?.result,
  stages: stagesOf(request),
  ...traceFields(request.trace),
});

/** By OpenTelemetry's names for logs; for any line about a request. */
export const traceFields = (
  trace: RequestTrace | undefined,
): { readonly trace_id: string; readonly span_id: string } | undefined =>
  trace === undefined ? undefined : { trace_id: trace.traceId, span_id: trace.spanId };

const stagesOf = ({ bodyMs, encodeMs, queueMs, runMs }: RequestRecord): object | undefined =>
  bodyMs === undefined && encodeMs === undefined && queueMs === undefined && runMs === undefined
    ? undefined
    : {
        bodyMs: rounded(bodyMs),
        encodeMs: rounded(encodeMs),
        queueMs: rounded(queueMs),
        runMs: rounded(runMs),
      };

/** Microseconds are enough. */
const rounded = (ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : Math.round(ms * 1000) / 1000;
