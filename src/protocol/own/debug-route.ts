import type { LanePool } from '../../executor/pool.js';
import { sendJson } from '../../http/reply.js';
import type { Handler, Route } from '../../http/router.js';
import { costOf } from '../../models/cost-report.js';
import type { Registry } from '../../models/registry.js';

/** `GET /debug/batcher`: lanes, and for every model its queue, what runs cost, and the last hundred decisions. */
export const debugRoute = (
  registry: Registry,
  pool: LanePool,
  guardAdmin: (handler: Handler) => Handler,
): Route => ({
  path: '/debug/batcher',
  needs: 'debug',
  get: guardAdmin((_req, res, { principal }) => {
    const served = registry.allVersions.filter(({ info }) => principal.may('debug', info.name));
    const models = served.map((model) => ({
      name: model.info.name,
      version: model.info.card.version,
      queue: model.batcher.queueView(),
      cost: costOf(model),
      batch: model.info.batch,
      batching: model.info.batching,
      decisions: model.decisions.list(),
    }));
    sendJson(res, 200, { lanes: pool.states, models }, { 'cache-control': 'no-store' });
  }),
});
