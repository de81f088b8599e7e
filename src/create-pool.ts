import type { Config } from './config/schema.js';
import type { Arbiter } from './executor/arbiter.js';
import type { OpenLink } from './executor/link.js';
import { openLinkOf } from './executor/open-link.js';
import { LanePool } from './executor/pool.js';
import type { Logger } from './telemetry/logger.js';
import type { Metrics } from './telemetry/metrics.js';

export interface CreatePoolDeps {
  readonly settings: Config;
  readonly lanes: number;
  readonly arbiter: Arbiter;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Default: by `lanes.isolation`. */
  readonly openLane?: OpenLink | undefined;
  /** Ends the process at once; called where `lanes.exitWhenStuck` says so. Default: SIGKILL to itself. */
  readonly die?: (() => void) | undefined;
}

/** The lanes as the configuration wants them; what happens to them is counted and logged. */
export const createPool = (deps: CreatePoolDeps): LanePool => {
  const { settings, lanes, arbiter, metrics, logger, die = killSelf } = deps;
  const { lanes: config, models } = settings;
  const pool = new LanePool({
    ...{ lanes, arbiter },
    open: deps.openLane ?? openLinkOf(config.isolation),
    openTimeoutMs: models.startupTimeoutMs,
    limits: {
      loadMs: models.startupTimeoutMs,
      runMs: config.runTimeoutFactor === 0 ? Infinity : config.runTimeoutFirstMs,
    },
    maxAbandoned: config.maxAbandoned,
    maxRssBytes: config.maxRssBytes,
    onRestart: (reason) => {
      metrics.lanes.restarted();
      logger.error({ reason }, 'a lane was lost and is replaced');
    },
    onRecycle: (reason) => {
      metrics.lanes.recycled();
      logger.warn({ reason }, 'a lane is replaced to free its memory');
    },
    onStuck: (abandoned) => {
      logger.fatal(
        { abandoned, maxAbandoned: config.maxAbandoned, exitWhenStuck: config.exitWhenStuck },
        'threads hang inside the runtime and cannot be ended: lanes are not replaced any more; restart the process',
      );
    },
    onNoneLeft: () => {
      logger.fatal('no lane is left: all hang inside the runtime');
      if (config.exitWhenStuck) die();
    },
    onFault: (message) => logger.error({ reason: message }, 'lane fault'),
  });
  metrics.lanes.bind(() => {
    const counts = { idle: 0, running: 0, starting: 0, vacant: 0, abandoned: pool.abandoned };
    for (const state of pool.states) counts[state]++;
    return counts;
  });
  return pool;
};

/** process.exit would wait for the threads that hang, and then abort. */
const killSelf = (): void => void process.kill(process.pid, 'SIGKILL');
