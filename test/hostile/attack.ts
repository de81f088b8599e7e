/** One hostile request, whole or broken off, and what is a right end of it. */
export interface Attack {
  /** For the tally. */
  readonly kind: string;
  readonly bytes: Buffer;
  readonly method: string;
  /** Statuses that the document promises. Absent: any but 5xx; 503 and 504 are always right. */
  readonly statuses?: ReadonlySet<number>;
  /**
   * It is no HTTP, or lies about its length: the connection can't be used again, and may be closed without an answer.
   */
  readonly spoilsConnection?: true;
  /** It is never whole: after this the client hangs up, and nobody waits for an answer. */
  readonly hangUp?: 'end' | 'destroy';
}

/** Start line and headers, byte by byte as given. */
export const head = (method: string, path: string, headers: readonly (readonly [string, string])[]): Buffer =>
  Buffer.from(
    `${[`${method} ${path} HTTP/1.1`, ...headers.map(([name, value]) => `${name}: ${value}`)].join('\r\n')}\r\n\r\n`,
  );
