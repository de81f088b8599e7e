import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Codec } from '../../dist/src/codec/codec.js';
import { itemsOfTensors, itemsOfTexts } from '../../dist/src/codec/items.js';
import { resolveConfig } from '../../dist/src/config/resolve.js';
import { Arbiter } from '../../dist/src/executor/arbiter.js';
import { availableCores, laneLayout } from '../../dist/src/executor/cpu-quota.js';
import { joinPayloads, splitOutput } from '../../dist/src/executor/join.js';
import { openLinkOf } from '../../dist/src/executor/open-link.js';
import { LanePool } from '../../dist/src/executor/pool.js';
import { CostKeeper } from '../../dist/src/models/cost-keeper.js';
import { ModelLoader } from '../../dist/src/models/loader.js';
import { createMetrics } from '../../dist/src/telemetry/metrics.js';
import { createSystemClock } from '../../dist/src/telemetry/system-clock.js';
import { PROJECT } from './machine.mjs';
import { makeCostCache } from './arms.mjs';

const TEXT = 'Meeting moved to three on Friday, see you there';
const TIMEOUT_MS = 30_000;
const RIDES_TO_SEE_LANES = 16;

/**
 * The gateway without HTTP, put together as src/gateway.ts does, and for each model two ways through it with one input:
 * `lane`, the message to the lane and back, and `batched`, the same by way of the batcher.
 *
 * @param root folder of the models, relative to the project
 */
export const assembleLibrary = async ({ isolation, models, root = 'models' }) => {
  const cache = await makeCostCache();
  const config = resolveConfig(
    {
      lanes: { isolation },
      batching: { calibrate: 'eager' },
      models: { root: join(PROJECT, root), load: models, cacheDir: cache.folder },
    },
    PROJECT,
  );
  const layout = laneLayout(config.lanes.count, config.lanes.intraOpThreads, availableCores());
  const clock = createSystemClock();
  const metrics = createMetrics();
  const onFault = (message) => console.error(message);
  const arbiter = new Arbiter();
  const pool = new LanePool({
    lanes: layout.count,
    open: openLinkOf(isolation),
    arbiter,
    onRestart: onFault,
    onFault,
  });
  const codec = new Codec();
  const costs = new CostKeeper({ config, layout, pool, clock, onKnown: () => undefined, onFault });
  const loader = new ModelLoader({
    config,
    intraOpThreads: layout.intraOpThreads,
    pool,
    arbiter,
    codec,
    costs,
    clock,
    observe: (name) => metrics.forModel(name),
    onLoaded: () => undefined,
    onRetired: () => undefined,
  });
  await Promise.all([codec.start(), pool.start()]);
  const ways = [];
  for (const name of models) {
    const model = await loader.load(name, name, true);
    const [item] = await itemsFor(model, codec);
    const { info, key, batcher } = model;
    const joinable = info.batch.mode !== 'single';
    const batched = () =>
      batcher.submit([item], { deadlineAt: clock.now() + TIMEOUT_MS, caller: '127.0.0.1' }).rides;
    // Called past the pool, which has nothing else to do meanwhile, in the pool's own turn: a lane that rests is slower.
    const lanes = await lanesOf(model, batched);
    let turn = 0;
    ways.push({
      name,
      model,
      lanes,
      lane: async () => {
        const lane = lanes[turn++ % lanes.length];
        const output = await lane.run(key, joinPayloads([item.payload]), info.batch.size);
        return splitOutput(output, [item.rows], joinable);
      },
      batched,
    });
  }
  return {
    lanes: layout.count,
    codec,
    ways,
    close: async () => {
      costs.close();
      await pool.close();
      await codec.close();
      metrics.close();
      await cache.remove();
    },
  };
};

/** The lanes that lone requests get, in their turn. */
const lanesOf = async (model, batched) => {
  const seen = new Set();
  const ride = model.ride;
  model.ride = (lane) => {
    seen.add(lane);
    return ride.call(model, lane);
  };
  for (let i = 0; i < RIDES_TO_SEE_LANES; i++) await batched();
  delete model.ride;
  return [...seen];
};

const itemsFor = async ({ key, info }, codec) => {
  if (info.takesTexts) {
    const encoded = await codec.encode(key, [TEXT], { maxTokens: 128, truncate: true });
    return itemsOfTexts(encoded, info);
  }
  const file = join(PROJECT, 'models', info.name, 'golden.json');
  const { cases } = JSON.parse(readFileSync(file, 'utf8'));
  const tensor = { dtype: 'float32', dims: [1, 30], data: Float32Array.from(cases[0].input) };
  return itemsOfTensors({ kind: 'tensors', rows: 1, tensors: [tensor] }, info);
};
