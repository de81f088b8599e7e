import type { IncomingMessage } from 'node:http';
import { CarpoolError } from '../errors.js';
import type { Handler } from './router.js';

export interface AdminGuardOptions {
  /** `https://ops.example:8443`, …: origins other than our own that may call. */
  readonly allowedOrigins: readonly string[];
  /** See `createOwnHost`. */
  readonly isOwnHost: (header: string) => boolean;
}

/**
 * Wraps handlers that change the server. A page of another site can make a browser post a body without Content-Type,
 * and no preflight asks us first; what the browser then says of the page's origin is the only sign.
 *
 * Requests without `Origin` (every client but a browser) pass where their `Host` is ours. Behind a proxy the `Host`
 * header must arrive unchanged, or the origin must be allowed by name.
 *
 * @throws CarpoolError FORBIDDEN, from the wrapped handler
 */
export const createAdminGuard = ({
  allowedOrigins,
  isOwnHost,
}: AdminGuardOptions): ((handler: Handler) => Handler) => {
  const allowed = new Set(allowedOrigins.map((origin) => parse(origin)?.origin ?? origin));
  return (handler) => (req, res, exchange) => {
    requireOwnOrigin(req, allowed, isOwnHost);
    return handler(req, res, exchange);
  };
};

const requireOwnOrigin = (
  { headers }: IncomingMessage,
  allowed: ReadonlySet<string>,
  isOwnHost: (header: string) => boolean,
): void => {
  const { origin, host } = headers;
  const from = origin === undefined ? undefined : parse(origin);
  if (from !== undefined && allowed.has(from.origin)) return;
  if (headers['sec-fetch-site'] === 'cross-site')
    throw forbidden(`got Sec-Fetch-Site: cross-site${origin === undefined ? '' : ` from ${shown(origin)}`}`);
  if (host !== undefined && !isOwnHost(host))
    throw new CarpoolError(
      'FORBIDDEN',
      `expected a Host that is an IP address, localhost, server.host or one of server.allowedHosts, got ${shown(host)}`,
    );
  if (origin === undefined) return;
  // Host has no scheme: take the origin's, so that its default port may be written or not.
  const here = from === undefined ? undefined : parse(`${from.protocol}//${host ?? ''}`);
  if (from === undefined || from.host !== here?.host)
    throw forbidden(`got Origin ${shown(origin)} on Host ${shown(host ?? '(none)')}`);
};

/** undefined for `null`, for several origins in one header, and for other nonsense. */
const parse = (url: string): URL | undefined => {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  return parsed === undefined || parsed.host === '' ? undefined : parsed;
};

const forbidden = (came: string): CarpoolError =>
  new CarpoolError(
    'FORBIDDEN',
    `expected a request from this server's own origin or one of server.allowedOrigins, ${came}`,
  );

const shown = (value: string): string => `'${value.slice(0, 100)}'`;
