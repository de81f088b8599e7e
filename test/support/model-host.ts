import { Codec } from '../../src/codec/codec.js';
import { resolveConfig } from '../../src/config/resolve.js';
import type { ConfigInput } from '../../src/config/schema.js';
import { Arbiter } from '../../src/executor/arbiter.js';
import type { OpenLink } from '../../src/executor/link.js';
import { LanePool } from '../../src/executor/pool.js';
import type { Payload } from '../../src/executor/join.js';
import { CostKeeper } from '../../src/models/cost-keeper.js';
import { ModelLoader } from '../../src/models/loader.js';
import { Registry } from '../../src/models/registry.js';
import type { Trials } from '../../src/models/trial/trials.js';
import type { ServedModel } from '../../src/models/served-model.js';
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.js';
import { createSystemClock } from '../../src/telemetry/system-clock.js';

/** All that loads and serves models, without HTTP. */
export interface ModelHost {
  readonly registry: Registry;
  readonly loader: ModelLoader;
  readonly pool: LanePool;
  readonly codec: Codec;
  readonly metrics: Metrics;
  /** `loaded a`, `retired a`, …, in order. */
  readonly log: string[];
  close(): Promise<void>;
}

interface HostOptions {
  readonly lanes?: number;
  /** See PoolDeps. */
  readonly reopenAfterMs?: number;
  /** Default: files are opened without a trial. */
  readonly trials?: () => Trials;
}

export const startModelHost = async (
  root: string,
  open: OpenLink,
  { lanes = 2, reopenAfterMs = 5_000, models = {}, trials, ...config }: ConfigInput & HostOptions = {},
): Promise<ModelHost> => {
  const log: string[] = [];
  const arbiter = new Arbiter();
  const codec = new Codec();
  const metrics = createMetrics();
  const pool = new LanePool({
    lanes,
    open,
    arbiter,
    reopenAfterMs,
    onRestart: () => log.push('restart'),
    onFault: (message) => log.push(`fault ${message}`),
  });
  const clock = createSystemClock();
  const settings = resolveConfig({ ...config, models: { ...models, root } }, root);
  const costs = new CostKeeper({
    config: settings,
    layout: { count: lanes, intraOpThreads: 1 },
    pool,
    clock,
    onKnown: () => undefined,
    onFault: (message) => log.push(`fault ${message}`),
  });
  const loader = new ModelLoader({
    config: settings,
    costs,
    intraOpThreads: 1,
    pool,
    arbiter,
    codec,
    clock,
    ...(trials === undefined ? {} : { trials: trials() }),
    observe: (name) => metrics.forModel(name),
    onLoaded: ({ info }) => log.push(`loaded ${info.name}`),
    onRetired: ({ info }) => log.push(`retired ${info.name}`),
  });
  await Promise.all([pool.start(), codec.start()]);
  return {
    registry: new Registry(loader, undefined),
    loader,
    pool,
    codec,
    metrics,
    log,
    close: async () => {
      costs.close();
      await pool.close();
      await codec.close();
      metrics.close();
    },
  };
};

/** One request of these payloads, each an item; the values of output `index` of each. */
export const ask = async (
  model: ServedModel,
  payloads: readonly Payload[],
  index = 0,
): Promise<(number | bigint | string)[][]> => {
  const { rides } = model.batcher.submit(
    payloads.map((payload) => ({
      rows: payload.kind === 'text' ? 1 : payload.rows,
      length: payload.kind === 'text' ? payload.ids.length : 1,
      compat: 'same',
      payload,
    })),
  );
  return (await rides).map(({ value }) =>
    Array.from<number | bigint | string>(value.outputs[index]?.data ?? []),
  );
};
