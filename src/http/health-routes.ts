import type { ServerResponse } from 'node:http';
import type { Principal } from '../access/principal.js';
import type { Exchange } from './exchange.js';
import { sendJson } from './reply.js';
import type { Route } from './router.js';

export interface HealthState {
  readonly ok: boolean;
  /** One word when not ok, shown as `status`: `starting`, `draining`, … */
  readonly reason?: string;
  /** The same in a sentence. */
  readonly detail?: string;
  /** Model name -> its state. */
  readonly models?: Readonly<Record<string, string>>;
}

export interface HealthView {
  /** Not ok: the process should be restarted. */
  live(): HealthState;
  /** Not ok: send requests elsewhere for now. */
  ready(): HealthState;
  /** Not ok: this model takes no requests for now. */
  model(name: string): HealthState;
}

/**
 * `/healthz` (liveness) and `/readyz` (readiness): 200, or 503 with the reason. `/health` is for people: always 200 while
 * the process answers, with what readiness says.
 */
export const healthRoutes = (view: Pick<HealthView, 'live' | 'ready'>): readonly Route[] => [
  {
    path: '/health',
    needs: 'public',
    get: (_req, res, exchange) => answer(res, 200, view.ready(), exchange),
  },
  { path: '/healthz', needs: 'public', get: (_req, res, exchange) => answerBy(res, view.live(), exchange) },
  { path: '/readyz', needs: 'public', get: (_req, res, exchange) => answerBy(res, view.ready(), exchange) },
];

const answerBy = (res: ServerResponse, state: HealthState, exchange: Exchange): void =>
  answer(res, state.ok ? 200 : 503, state, exchange);

const answer = (
  res: ServerResponse,
  status: number,
  { ok, reason, detail, models }: HealthState,
  { principal }: Exchange,
): void =>
  void sendJson(
    res,
    status,
    {
      status: ok ? 'ok' : (reason ?? 'unavailable'),
      // It may name any model.
      detail: ok || !principal.mayAll('read') ? undefined : detail,
      models: models && readable(models, principal),
    },
    { 'cache-control': 'no-store' },
  );

/** Anybody may ask for the health, but the names of models are for those who may read them. */
const readable = (
  models: Readonly<Record<string, string>>,
  principal: Principal,
): Record<string, string> | undefined => {
  if (!principal.mayAny('read')) return undefined;
  return Object.fromEntries(Object.entries(models).filter(([name]) => principal.may('read', name)));
};
