import { describe, expect, it } from '@jest/globals';
import { resolveConfig } from '../src/config/resolve.js';
import { createPool } from '../src/create-pool.js';
import { Arbiter } from '../src/executor/arbiter.js';
import { silentLogger } from '../src/telemetry/logger.js';
import { createMetrics } from '../src/telemetry/metrics.js';
import { failureOf, multiBatch } from './support/lanes.js';
import { puppetOpen } from './support/puppet-link.js';
import { turn } from './support/puppet-model.js';

/** Two lanes of which every run hangs, and no thread that hangs is replaced. */
const hangAll = async (exitWhenStuck: boolean): Promise<{ log: string[]; lanes: string; deaths: number }> => {
  const { open } = puppetOpen({ onPost: () => undefined });
  const log: string[] = [];
  let deaths = 0;
  const metrics = createMetrics();
  const pool = createPool({
    settings: resolveConfig({ lanes: { runTimeoutFirstMs: 30, maxAbandoned: 0, exitWhenStuck } }, '/base'),
    ...{ lanes: 2, arbiter: new Arbiter(), metrics, openLane: open },
    logger: {
      ...silentLogger(),
      error: (_fields: object | string, message?: string) => log.push(`error ${message ?? ''}`),
      fatal: (fields: object | string) => log.push(typeof fields === 'string' ? `fatal ${fields}` : 'fatal'),
    },
    die: () => deaths++,
  });
  await pool.start();
  await failureOf(pool.onEveryLane((lane) => lane.run('a', multiBatch())));
  await turn();
  const { body } = await metrics.render();
  metrics.close();
  await pool.close();
  const lanes = [...body.matchAll(/^carpool_lanes\{state="(\w+)"\} ([1-9]\d*)$/gm)].map(
    ([, state, n]) => `${n} ${state}`,
  );
  return { log, lanes: lanes.join(', '), deaths };
};

describe('when no lane is left', () => {
  it('says so, loudly and once, and stays alive for somebody to look', async () => {
    const { log, lanes, deaths } = await hangAll(false);
    expect(log).toEqual([
      'fatal',
      'error a lane was lost and is replaced',
      'error a lane was lost and is replaced',
      'fatal no lane is left: all hang inside the runtime',
    ]);
    expect([lanes, deaths]).toEqual(['2 vacant, 2 abandoned', 0]);
  });

  it('dies where `exitWhenStuck` says so', async () => {
    expect((await hangAll(true)).deaths).toBe(1);
  });
});
