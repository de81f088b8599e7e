import cors from 'cors';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Sets the headers that let pages of other origins call. Answers nothing itself. */
export type CorsHeaders = (req: IncomingMessage, res: ServerResponse) => void;

/** What a page may read beside the body. */
const EXPOSED = [
  'x-request-id',
  'server-timing',
  'retry-after',
  'ratelimit',
  'ratelimit-policy',
  'ratelimit-limit',
  'ratelimit-remaining',
  'ratelimit-reset',
];

/** How long a browser may keep the answer to its preflight. */
const PREFLIGHT_SECONDS = 600;

/**
 * CORS for some origins (`*` = any), without cookies: what authenticates is a header that the page itself must know.
 * Preflights go on to whoever answers OPTIONS, to be counted as any request.
 */
export const createCors = (origins: readonly string[]): CorsHeaders | undefined => {
  if (origins.length === 0) return undefined;
  const headers = cors({
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'DELETE'],
    exposedHeaders: EXPOSED,
    maxAge: PREFLIGHT_SECONDS,
    preflightContinue: true,
  });
  return (req, res) => headers(req, res, () => undefined);
};
