import type { ServerResponse } from 'node:http';
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
  { path: '/health', get: (_req, res) => answer(res, 200, view.ready()) },
  { path: '/healthz', get: (_req, res) => answerBy(res, view.live()) },
  { path: '/readyz', get: (_req, res) => answerBy(res, view.ready()) },
];

const answerBy = (res: ServerResponse, state: HealthState): void => answer(res, state.ok ? 200 : 503, state);

const answer = (res: ServerResponse, status: number, { ok, reason, detail, models }: HealthState): void =>
  void sendJson(
    res,
    status,
    { status: ok ? 'ok' : (reason ?? 'unavailable'), detail: ok ? undefined : detail, models },
    { 'cache-control': 'no-store' },
  );
