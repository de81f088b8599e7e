import { Router, type Request, type Response } from 'express';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createAudit } from '../access/audit.js';
import { presentedIn } from '../access/credentials.js';
import { OPEN_GATE, requireNeed, type Gate } from '../access/gate.js';
import type { Need } from '../access/need.js';
import { EVERYBODY } from '../access/principal.js';
import { CarpoolError, codeOf } from '../errors.js';
import { createErrorLog } from '../telemetry/error-log.js';
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
  readonly put?: Handler;
  readonly delete?: Handler;
  /**
   * What its caller needs, of all methods or of each; the model that `:m` in the path names is checked at once. Default:
   * `locked`, so that a route that forgot it is open to nobody but those who may do everything.
   */
  readonly needs?: Need | Readonly<Partial<Record<Method, Need>>>;
  /** Errors of this path in its protocol's own shape. Default: `{"error": {"code", "message", "requestId"}}`. */
  readonly error?: ErrorShape;
  /** Methods that it does not have fall through to whoever has the path, too. Default: METHOD_NOT_ALLOWED. */
  readonly isShared?: boolean;
}

export interface HttpRouterDeps extends ExchangeDeps {
  readonly logger: Logger;
  /** Who may call. Default: everybody. */
  readonly gate?: Gate;
  /**
   * Asked before the handler of every request that is not free, and before any is refused for its caller; what it throws or
   * rejects with becomes the answer.
   */
  readonly admit?: ((exchange: Exchange) => Promise<void>) | undefined;
  /** Shapes of errors where no route is: of the first prefix that the path has, our own elsewhere. */
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
const METHODS = ['get', 'post', 'put', 'delete'] as const;
/** Probes, scrapes and lookups cost next to nothing, and must go through when all else is refused. */
const FREE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

export type Method = (typeof METHODS)[number];

/** Not an Express *application*: that swaps the prototypes of `req` and `res` and costs two thirds of the throughput. */
export const createHttpRouter = (routes: readonly Route[], deps: HttpRouterDeps): HttpRouter => {
  const answerError = createErrorAnswer(createErrorLog(deps.logger, deps.now));
  const audit = createAudit(deps.logger);
  const gate = deps.gate ?? OPEN_GATE;
  const router = Router({ caseSensitive: true });

  const fail = (error: unknown, req: IncomingMessage, res: ServerResponse): void => {
    const exchange = findExchange(req) ?? openExchange(req, res, UNMATCHED, deps);
    const shape = deps.unmatched?.find(({ prefix }) => req.url?.startsWith(prefix));
    answerError(error ?? notFound(exchange), req, res, shape?.error);
  };

  /** Before a byte of the body is read. */
  const identify = async (req: HttpRequest, exchange: Exchange, need: Need): Promise<void> => {
    const { authorization, 'x-api-key': apiKey } = req.headers;
    const presented = presentedIn(authorization, typeof apiKey === 'string' ? apiKey : undefined);
    // First, so that the audit log knows whom it was that was refused.
    exchange.principal = await gate.identify(presented);
    try {
      requireNeed(exchange.principal, need, modelIn(req));
    } catch (error) {
      // Of whatever method: who guesses keys is held by the address.
      await deps.admit?.(exchange);
      throw error;
    }
  };

  const run = async (
    handler: Handler,
    { path, error: shape }: Route,
    need: Need,
    req: HttpRequest,
    res: ServerResponse,
  ): Promise<void> => {
    const exchange = openExchange(req, res, path, deps);
    try {
      if (gate.isOpen) exchange.principal = EVERYBODY;
      else await identify(req, exchange, need);
      // Only then: quotas are those of a caller by name.
      if (deps.admit !== undefined && !FREE_METHODS.has(req.method ?? '')) await deps.admit(exchange);
      // Nothing would ever come of its body.
      if (exchange.isGone)
        throw new CarpoolError('CLIENT_GONE', 'the client went away before its body was read');
      await handler(req, res, exchange);
      audit(exchange, need, 'ok', modelIn(req));
    } catch (error) {
      audit(exchange, need, codeOf(error), modelIn(req));
      answerError(error, req, res, exchange.errorShape ?? shape);
    }
  };

  requireDistinct(routes);
  for (const route of routes) {
    const layers = router.route(route.path);
    for (const method of METHODS) {
      const handler = route[method];
      if (handler !== undefined)
        layers[method]((req, res) => void run(handler, route, needOf(route, method), req, res));
    }
    const otherMethods = refuseMethod(route);
    if (route.isShared === true) {
      // Left alone, Express would answer a preflight, and without our headers.
      if (deps.cors !== undefined)
        layers.options((req, res) => void run(otherMethods, route, 'public', req, res));
      continue;
    }
    layers.all((req, res) => void run(otherMethods, route, 'public', req, res));
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

/** The model that the path names, there or not. */
const modelIn = ({ params }: HttpRequest): string | undefined => {
  const name = Object.hasOwn(params, 'm') ? params['m'] : undefined;
  return typeof name === 'string' ? name : undefined;
};

const needOf = ({ needs }: Route, method: Method): Need =>
  (typeof needs === 'object' ? needs[method] : needs) ?? 'locked';

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
