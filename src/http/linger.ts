import type { IncomingMessage, ServerResponse } from 'node:http';

/** A body of up to this size is read and dropped by Node itself, and the connection lives on. */
const SHORT_BODY_BYTES = 64 * 1024;
/** Longest time that a client may go on sending after its answer. */
const LINGER_MS = 5000;

/** Is an answer being sent while the client is still sending a body that nobody wants? */
export const hasLongBodyUnread = (req: IncomingMessage): boolean => {
  if (req.complete) return false;
  const { headers } = req;
  return (
    headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > SHORT_BODY_BYTES
  );
};

/**
 * Writes the answer, then drops what still arrives until the client stops sending or time is up, and only then closes:
 * closing with unread bytes resets the connection, and the client would lose the answer.
 *
 * The head must be out, with its Content-Length and `connection: close`, so that the client has its whole answer now.
 */
export const linger = (res: ServerResponse, body: string | Uint8Array): void => {
  const { req } = res;
  res.write(body);
  const end = (): void => {
    clearTimeout(timer);
    res.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  req.once('end', end);
  res.once('close', end);
  req.resume();
};
