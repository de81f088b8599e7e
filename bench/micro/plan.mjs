/**
 * What a plan costs: reading the window of the queue and composing the batch, as the batcher does for every granted lane.
 *
 *   node bench/micro/plan.mjs [--plans 1000] [--repeats 9] [--dry]
 *
 * Lengths are lognormal (40, 0.8); a planned batch leaves the queue and as many new items come, so that its depth stays.
 * Goals: p99 <= 100 us with 1,000 queued, <= 2 us an item. The same plans are made in every repeat, and the median of its
 * times counts for each: what other tenants of the machine, or the garbage collector, took now and then is not in it.
 */
import { planCost } from '../../dist/batcher/index.js';
import { WaitingRoom } from '../../dist/batcher/waiting-room.js';
import { REGIMES } from '../../dist/src/sim/setting.js';
import { lognormalLengths } from '../../dist/src/sim/lengths.js';
import { seededRandom } from '../../dist/src/sim/random.js';
import { machine } from '../lib/machine.mjs';
import { readOptions } from '../lib/options.mjs';
import { report, table } from '../lib/report.mjs';
import { ascending, median, quantile } from '../lib/stats.mjs';

const { plans, repeats, dry } = readOptions({ plans: 1_000, repeats: 9 });
const DEPTHS = [32, 256, 1_000, 10_000];
/** As in batcher/planning.ts. */
const [WINDOW, BULK_WINDOW] = [128, 32];
const ARRIVAL_MS = 0.5;
const SEED = 2;

const lengths = lognormalLengths(40, 0.8);

/** A queue that can be topped up, and the plan of its next batch. */
const queueOf = (depth, { cost, sloMs }, seed) => {
  const random = seededRandom(seed);
  const room = new WaitingRoom();
  const knobs = {
    ...{ maxBatch: 64, maxWaitMs: 0, echoHoldMs: 0, maxBatchTokens: 16_384, maxQueue: 1e9 },
    ...{ join: true, shedding: true, sloMs },
  };
  let seq = 0;
  const fill = () => {
    while (room.size < depth) {
      const arrivedAt = seq * ARRIVAL_MS;
      const item = { seq, key: arrivedAt, rows: 1, length: lengths.draw(random), compat: '', bulk: false };
      room.add({ ...item, arrivedAt, deadlineAt: Infinity, aloneMs: 1, identity: undefined, riders: [1] });
      seq++;
    }
  };
  const plan = () =>
    planCost(
      {
        window: room.window(WINDOW, BULK_WINDOW),
        waiting: room.size,
        waitingRows: room.queuedRows,
        idleLanes: 1,
        utilisation: 0.9,
        quiet: false,
        cost: { basis: 'padded', coefficients: cost, trusted: true },
        draining: false,
      },
      seq * ARRIVAL_MS,
      knobs,
    );
  return { fill, plan, take: (item) => room.take(item) };
};

/** Microseconds of each of a row of plans, the same ones for the same seed. */
const play = (depth, regime) => {
  const queue = queueOf(depth, regime, SEED);
  const micros = new Float64Array(plans);
  let items = 0;
  for (let i = 0; i < plans; i++) {
    queue.fill();
    const startedAt = performance.now();
    const { group } = queue.plan();
    micros[i] = (performance.now() - startedAt) * 1000;
    for (const item of group.items) queue.take(item);
    items += group.items.length;
  }
  return { micros, batch: items / plans };
};

// All regimes and depths in turn, so that a busy minute of the machine falls on all of them.
const cells = Object.entries(REGIMES).flatMap(([name, regime]) =>
  DEPTHS.map((depth) => ({ name, regime, depth, runs: [] })),
);
for (const { regime, depth } of cells) play(depth, regime);
for (let repeat = 0; repeat < repeats; repeat++)
  for (const { regime, depth, runs } of cells) runs.push(play(depth, regime));

const rows = cells.map(({ name, depth, runs }) => {
  const micros = Array.from({ length: plans }, (_, i) => median(runs.map((run) => run.micros[i])));
  const sorted = ascending(micros);
  const mean = micros.reduce((sum, us) => sum + us, 0) / plans;
  const { batch } = runs[0];
  return {
    regime: name,
    queued: depth,
    'p50 us': quantile(sorted, 0.5),
    'p99 us': quantile(sorted, 0.99),
    'largest us': sorted.at(-1),
    'us an item looked at': mean / Math.min(depth, WINDOW),
    'items a batch': batch,
  };
});
const worst = Math.max(...rows.filter(({ queued }) => queued === 1_000).map((row) => row['p99 us']));
report({
  name: 'plan',
  title: 'What a plan costs',
  machine: machine(),
  sections: [[`${repeats} repeats of ${plans} plans; the median of each plan's times`, table(rows)]],
  verdict: `p99 with 1,000 queued: ${worst.toFixed(0)} us in the dearest regime; goal 100 us`,
  data: { rows },
  isDry: dry,
});
