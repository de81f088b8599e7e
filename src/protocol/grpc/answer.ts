import { Metadata, type handleUnaryCall, type StatusObject } from '@grpc/grpc-js';
import { cacheHeaders } from '../../http/cache-headers.js';
import { publicError } from '../../http/error-handler.js';
import type { ErrorLog } from '../../telemetry/error-log.js';
import { GrpcExchange, type GrpcExchangeDeps } from './exchange.js';
import { statusOf } from './status.js';

export interface AnswerDeps extends GrpcExchangeDeps {
  readonly errorLog: ErrorLog;
}

/** Ends an exchange with an error: what the client is told, and a line in the log where it is our fault. */
export const failExchange = (error: unknown, exchange: GrpcExchange, errorLog: ErrorLog): StatusObject => {
  const shown = publicError(error);
  const { code, status } = shown;
  const { requestId } = exchange;
  exchange.code ??= code;
  if (!exchange.isGone) errorLog.note(error, shown, requestId);
  exchange.finish(status);
  return statusOf(shown, requestId);
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
        const response = await answer(call.request, exchange);
        if (exchange.cache !== undefined)
          call.sendMetadata(Metadata.fromHttp2Headers(cacheHeaders(exchange.cache)));
        exchange.finish();
        callback(null, response);
      } catch (error) {
        callback(failExchange(error, exchange, deps.errorLog));
      }
    };
    void run();
  };
