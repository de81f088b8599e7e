import { Router, type Request, type Response } from 'express';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { CarpoolError } from '../errors.js';
import type { Logger } from '../telemetry/logger.js';
import { createErrorAnswer, isMalformedPath, type ErrorShape } from './error-handler.js';
import { findExchange, openExchange, type Exchange, type ExchangeDeps } from './exchange.js';

/** Node's own request, plus what the router has found in its path. */
export interface HttpRequest extends IncomingMessage {
  readonly params: Readonly<Record<string, string | readonly string[]>>;
}

/** Uses Node's own `req` and `res` only. What it throws or rejects with becomes the answer. */
export type Handler = (req: HttpRequest, res: ServerResponse, exchange: Exchange) => void | Promise<void>;

export interface Route {
  /** As in `express.Router`; also the `route` label of metrics and access lines. */
  readonly path: string;
  /** Answers HEAD too. */
  readonly get?: Handler;
  readonly post?: Handler;
  readonly delete?: Handler;
  /** Errors of this path in its protocol's own shape. Default: `{"error": {"code", "message", "requestId"}}`. */
  readonly error?: ErrorShape;
  /** Methods that it does not have fall through to whoever has the path, too. Default: METHOD_NOT_ALLOWED. */
  readonly isShared?: boolean;
}

export interface HttpRouterDeps extends ExchangeDeps {
  readonly logger: Logger;
  /** Shapes of errors where no route is: of the first prefix that the path has, our own elsewhere. */
  /** Asked before the handler of every request that is not free; what it throws or rejects with becomes the answer. */
  readonly admit?: ((exchange: Exchange) => Promise<void>) | undefined;
  readonly unmatched?: readonly { readonly prefix: string; readonly error: ErrorShape }[];
}

export interface HttpRouter {
  /** Mount it anywhere. Paths that it does not know fall through, untouched and uncounted. */
  readonly router: Router;
  /** For `http.createServer`: unknown paths are answered NOT_FOUND. */
  readonly listener: RequestListener;
}

/** Route label of a request that matched none. */
const UNMATCHED = 'unmatched';
const METHODS = ['get', 'post', 'delete'] as const;
/** Probes, scrapes and lookups cost next to nothing, and must go through when all else is refused. */
const FREE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Not an Express *application*: that swaps the prototypes of `req` and `res` and costs two thirds of the throughput. */
export const createHttpRouter = (routes: readonly Route[], deps: HttpRouterDeps): HttpRouter => {
  const answerError = createErrorAnswer(deps.logger);
  const router = Router({ caseSensitive: true });

  const fail = (error: unknown, req: IncomingMessage, res: ServerResponse): void => {
    const exchange = findExchange(req) ?? openExchange(req, res, UNMATCHED, deps);
    const shape = deps.unmatched?.find(({ prefix }) => req.url?.startsWith(prefix));
    answerError(error ?? notFound(exchange), req, res, shape?.error);
  };

  const run = async (
    handler: Handler,
    { path, error: shape }: Route,
    req: HttpRequest,
    res: ServerResponse,
  ): Promise<void> => {
    const exchange = openExchange(req, res, path, deps);
    try {
      if (deps.admit !== undefined && !FREE_METHODS.has(req.method ?? '')) await deps.admit(exchange);
      await handler(req, res, exchange);
    } catch (error) {
      answerError(error, req, res, exchange.errorShape ?? shape);
    }
  };

  requireDistinct(routes);
  for (const route of routes) {
    const layers = router.route(route.path);
    for (const method of METHODS) {
      const handler = route[method];
      if (handler !== undefined) layers[method]((req, res) => void run(handler, route, req, res));
    }
    const otherMethods = refuseMethod(route);
    if (route.isShared === true) {
      // Left alone, Express would answer a preflight, and without our headers.
      if (deps.cors !== undefined) layers.options((req, res) => void run(otherMethods, route, req, res));
      continue;
    }
    layers.all((req, res) => void run(otherMethods, route, req, res));
  }

  // Handlers never call `next`: what arrives here is the router's own.
  router.use((error: unknown, req: Request, res: Response, next: (error: unknown) => void) => {
    if (isMalformedPath(error)) fail(error, req, res);
    else next(error);
  });

  return {
    router,
    listener: (req, res) =>
      // Express types its requests as those of an application; the router itself adds only `params`, `url` and the like.
      router(req as Request, res as Response, (error?: unknown) => fail(error, req, res)),
  };
};

/** @throws CarpoolError INVALID_REQUEST when the path has no such part */
export const pathParam = (req: HttpRequest, name: string): string => {
  const value = Object.hasOwn(req.params, name) ? req.params[name] : undefined;
  if (typeof value !== 'string') throw new CarpoolError('INVALID_REQUEST', `expected '${name}' in the path`);
  return value;
};

/** The first of two would answer METHOD_NOT_ALLOWED for the second's methods. */
const requireDistinct = (routes: readonly Route[]): void => {
  const seen = new Set<string>();
  for (const { path } of routes) {
    if (seen.has(path)) throw new Error(`two routes for ${path}: put their methods into one`);
    seen.add(path);
  }
};

const refuseMethod = (route: Route): Handler => {
  const allowed = METHODS.filter((method) => route[method] !== undefined).flatMap((method) =>
    method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()],
  );
  const allow = [...allowed, 'OPTIONS'].join(', ');
  return (req, res, exchange) => {
    res.setHeader('allow', allow);
    if (req.method === 'OPTIONS') {
      res.writeHead(204, exchange.headersOf(res)).end();
      return;
    }
    throw new CarpoolError(
      'METHOD_NOT_ALLOWED',
      `expected ${allowed.join(', ')} on ${exchange.path}, got ${req.method ?? ''}`,
    );
  };
};

const notFound = ({ method, path }: Exchange): CarpoolError =>
  new CarpoolError('NOT_FOUND', `there is no ${method} ${path}`);
