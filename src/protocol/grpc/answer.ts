import { Metadata, type handleUnaryCall, type StatusObject } from '@grpc/grpc-js';
import type { Audit } from '../../access/audit.js';
import { codeOf, messageOf } from '../../errors.js';
import { cacheHeaders } from '../../http/cache-headers.js';
import { publicError } from '../../http/error-handler.js';
import { traceFields } from '../../telemetry/access-log.js';
import type { Logger } from '../../telemetry/logger.js';
import { requireDecoded } from './decode.js';
import { GrpcExchange, type GrpcExchangeDeps } from './exchange.js';
import { needOfMethod } from './needs.js';
import { statusOf } from './status.js';

export interface AnswerDeps extends GrpcExchangeDeps {
  readonly logger: Logger;
  readonly audit: Audit;
}

/** Ends an exchange with an error: what the client is told, and a line in the log where it is our fault. */
export const failExchange = (error: unknown, exchange: GrpcExchange, logger: Logger): StatusObject => {
  const shown = publicError(error);
  const { code, status, message } = shown;
  const { requestId, trace } = exchange;
  exchange.code ??= code;
  if (!exchange.isGone) {
    const ids = { requestId, ...traceFields(trace) };
    if (code === 'INTERNAL') logger.error({ ...ids, err: error }, 'internal error');
    else if (status >= 500) logger.warn({ ...ids, code, cause: causeOf(error) }, message);
  }
  const answer = statusOf(shown, requestId, exchange.quotas);
  exchange.grpcStatus = answer.code;
  if (trace !== undefined) answer.metadata.set('traceparent', trace.traceparent);
  exchange.finish(status);
  return answer;
};

const causeOf = (error: unknown): string | undefined =>
  error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : undefined;

/** Turns a function into a handler: what it throws or rejects with becomes the call's status. */
export const unary =
  <Req, Res>(
    answer: (request: Req, exchange: GrpcExchange) => Res | Promise<Res>,
    deps: AnswerDeps,
  ): handleUnaryCall<Req, Res> =>
  (call, callback) => {
    const exchange = new GrpcExchange(call, deps);
    call.once('cancelled', () => exchange.lose());
    const run = async (): Promise<void> => {
      try {
        requireDecoded(call.request);
        const response = await answer(call.request, exchange);
        if (exchange.cache !== undefined)
          call.sendMetadata(Metadata.fromHttp2Headers(cacheHeaders(exchange.cache)));
        deps.audit(exchange, needOfMethod(exchange.route), 'ok');
        exchange.finish();
        callback(null, response, exchange.trailer);
      } catch (error) {
        deps.audit(exchange, needOfMethod(exchange.route), codeOf(error));
        callback(failExchange(error, exchange, deps.logger));
      }
    };
    void run();
  };
