import { ServerInterceptingCall, status, type ServerInterceptor } from '@grpc/grpc-js';
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
            const refuse = async (error: unknown): Promise<void> => {
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
              const refusal = await chargedFor(error, exchange, deps);
              deps.audit(exchange, need, codeOf(refusal));
              call.sendStatus(failExchange(refusal, exchange, deps.errorLog));
            };
            deps.callers
              .admit(metadata, need)
              .then(() => {
                if (!isCancelled) pass(metadata);
              }, refuse)
              // A rejection that nobody handles ends the process.
              .catch(() => call.sendStatus({ code: status.INTERNAL, details: 'internal error' }));
          },
          onCancel: () => {
            isCancelled = true;
          },
        }),
    });
  };

/** Who guesses keys is held by the address. @returns what to refuse it with */
const chargedFor = (error: unknown, exchange: GrpcExchange, { admit }: AnswerDeps): Promise<unknown> =>
  (admit?.(exchange) ?? Promise.resolve()).then(
    () => error,
    (limited: unknown) => limited,
  );
