import { ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { codeOf } from '../../errors.js';
import { failExchange, type AnswerDeps } from './answer.js';
import { GrpcExchange } from './exchange.js';
import { needOfMethod } from './needs.js';

/**
 * Refuses calls before their first message is read, whatever service they are for. A refused one is counted and logged as
 * any other.
 */
export const accessInterceptor =
  (deps: AnswerDeps): ServerInterceptor =>
  ({ path }, call) => {
    let isCancelled = false;
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, pass) => {
            const need = needOfMethod(path);
            deps.callers.admit(metadata, need).then(
              () => {
                if (!isCancelled) pass(metadata);
              },
              (error: unknown) => {
                const exchange = new GrpcExchange(
                  {
                    cancelled: isCancelled,
                    metadata,
                    getPath: () => path,
                    getPeer: () => call.getPeer(),
                    getDeadline: () => call.getDeadline(),
                  },
                  deps,
                );
                deps.audit(exchange, need, codeOf(error));
                call.sendStatus(failExchange(error, exchange, deps.errorLog));
              },
            );
          },
          onCancel: () => {
            isCancelled = true;
          },
        }),
    });
  };
