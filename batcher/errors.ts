export type BatcherErrorCode =
  | 'QUEUE_FULL'
  | 'PAYLOAD_TOO_LARGE'
  | 'DRAINING'
  | 'DEADLINE_EXCEEDED'
  | 'CLIENT_GONE'
  | 'EXECUTION_FAILED'
  | 'WORKER_LOST'
  | 'INTERNAL';

/** Callers match `code`; the message says what was expected and what came. */
export class BatcherError extends Error {
  override readonly name = 'BatcherError';
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly code: BatcherErrorCode,
    message: string,
    retryAfterSeconds?: number,
  ) {
    super(message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Errors come from other threads: `code` is all that they have in common. */
export const codeOf = (error: unknown): string => {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : 'INTERNAL';
};

/** The lane did not die: it was given up, since the run took too long. Such an error has the code WORKER_LOST. */
export const isHung = (error: unknown): boolean => (error as { hung?: unknown } | null)?.hung === true;

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
