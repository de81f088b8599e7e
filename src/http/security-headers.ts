import helmet from 'helmet';
import { IncomingMessage, ServerResponse, type OutgoingHttpHeaders } from 'node:http';
import { Socket } from 'node:net';

/** What helmet says by default, in lower case: the same for every request, so it is asked once. */
export const securityHeaders = (): OutgoingHttpHeaders => {
  const res = new ServerResponse(new IncomingMessage(new Socket()));
  helmet()(res.req, res, (error?: unknown) => {
    if (error !== undefined) throw new Error('helmet failed', { cause: error });
  });
  return { ...res.getHeaders() };
};
