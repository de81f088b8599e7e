import { messageOf, type ErrorCode } from '../errors.js';
import { createRateCap } from './access-sampler.js';
import type { Logger } from './logger.js';

export interface ErrorLog {
  /** @param ids the request's. One that a caller is told; lines are written for those that are not the caller's fault. */
  note(
    error: unknown,
    shown: { readonly code: ErrorCode; readonly status: number; readonly message: string },
    ids: Readonly<Record<string, unknown>>,
  ): void;
}

/** Under overload every second answer may be a 504; the access log has them all, this many a second are enough here. */
const WARNINGS_PER_SECOND = 10;

/**
 * `internal error` with all that is known of our own bugs, and warnings of other errors from 500 on: ten a second, of which
 * one with `suppressed: n` follows n more.
 * @param now milliseconds, monotonic
 */
export const createErrorLog = (logger: Logger, now: () => number): ErrorLog => {
  const warnings = createRateCap(WARNINGS_PER_SECOND);
  return {
    note: (error, { code, status, message }, ids) => {
      if (code === 'INTERNAL') {
        logger.error({ ...ids, err: error }, 'internal error');
        return;
      }
      if (status < 500 || !warnings.allow(now())) return;
      const suppressed = warnings.takeSuppressed();
      logger.warn(
        { ...ids, code, cause: causeOf(error), ...(suppressed > 0 ? { suppressed } : {}) },
        message,
      );
    },
  };
};

const causeOf = (error: unknown): string | undefined => {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined ? undefined : messageOf(cause);
};
