import { messageOf } from '../errors.js';
import type { Gateway } from '../gateway.js';
import type { CliHost, StopSignal } from './host.js';

/**
 * npm forwards a signal that its whole process group got already, so that one Ctrl-C under `npm start` arrives here
 * twice, a millisecond apart. Under npm a second signal this soon is that echo; nobody types so fast.
 */
const NPM_ECHO_MS = 100;

export type StopOutcome = 'drained' | 'deadline' | 'again' | 'failed';

export interface Stop {
  /** Resolves when a stop that a signal began has ended, one way or the other. */
  readonly outcome: Promise<StopOutcome>;
  isRequested(): boolean;
  /** Takes the listeners off. */
  dispose(): void;
}

/** The first SIGTERM or SIGINT closes the gateway; a second one ends the wait for it. */
export const stopOnSignals = (
  gateway: Pick<Gateway, 'close' | 'abandon'>,
  { signals, env, stderr, now }: Pick<CliHost, 'signals' | 'env' | 'stderr' | 'now'>,
): Stop => {
  const echoMs = env['npm_lifecycle_event'] === undefined ? 0 : NPM_ECHO_MS;
  let first: { readonly signal: StopSignal; readonly at: number } | undefined;
  let settle: (outcome: StopOutcome) => void = () => undefined;
  const outcome = new Promise<StopOutcome>((resolve) => (settle = resolve));

  const end = (outcome: StopOutcome): void => {
    // Processes that hang would outlive this one.
    gateway.abandon();
    settle(outcome);
  };

  const onSignal = (signal: StopSignal): void => {
    if (first === undefined) {
      first = { signal, at: now() };
      stderr.write(`${signal}: finishing the work in flight; send it again to stop at once\n`);
      gateway.close().then(settle, (error: unknown) => {
        stderr.write(`the stop failed: ${messageOf(error)}\n`);
        end('failed');
      });
      return;
    }
    if (signal === first.signal && now() - first.at < echoMs) return;
    stderr.write(`${signal} again: stopping at once\n`);
    end('again');
  };

  signals.on('SIGTERM', onSignal);
  signals.on('SIGINT', onSignal);
  return {
    outcome,
    isRequested: () => first !== undefined,
    dispose: () => {
      signals.off('SIGTERM', onSignal);
      signals.off('SIGINT', onSignal);
    },
  };
};
