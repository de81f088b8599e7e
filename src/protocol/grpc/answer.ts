import { Metadata, status, type handleUnaryCall, type StatusObject } from '@grpc/grpc-js';
import type { Audit } from '../../access/audit.js';
import { codeOf } from '../../errors.js';
import { cacheHeaders } from '../../http/cache-headers.js';
import { publicError } from '../../http/error-handler.js';
import { traceFields } from '../../telemetry/access-log.js';
import type { ErrorLog } from '../../telemetry/error-log.js';
import { requireDecoded } from './decode.js';
import { GrpcExchange, type GrpcExchangeDeps } from './exchange.js';
import { needOfMethod } from './needs.js';
import { statusOf } from './status.js';

export interface AnswerDeps extends GrpcExchangeDeps {
  readonly errorLog: ErrorLog;
  readonly audit: Audit;
}

/** Ends an exchange with an error: what the client is told, and a line in the log where it is our fault. */
export const failExchange = (error: unknown, exchange: GrpcExchange, errorLog: ErrorLog): StatusObject => {
  const shown = publicError(error);
  const { code, status: httpStatus } = shown;
  const { requestId, trace } = exchange;
  exchange.code ??= code;
  if (!exchange.isGone) errorLog.note(error, shown, { requestId, ...traceFields(trace) });
  const answer = statusOf(shown, requestId, exchange.quotas);
  exchange.grpcStatus = answer.code;
  if (trace !== undefined) answer.metadata.set('traceparent', trace.traceparent);
  exchange.finish(httpStatus);
  return answer;
};

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
        callback(failExchange(error, exchange, deps.errorLog));
      }
    };
    // A rejection that nobody handles ends the process: better an answer that says little.
    run().catch(() => callback({ code: status.INTERNAL, details: 'internal error' }));
  };
