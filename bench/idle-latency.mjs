/**
 * What the batcher adds to a lone request on an idle machine: through submit, queue, claim, plan and back, against the
 * bare round trip to the lane with the same input. In one process, in turn, in random order. After `npm run build`:
 *
 *   node bench/idle-latency.mjs [--count 1000] [--pauseMs 10] [--isolation thread] [--goalUs 50] [--dry]
 *
 * Once with pauses, after which code and data are cold, for the lane as for the batcher, and once without: what the
 * batcher itself does.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { assembleLibrary } from './lib/library.mjs';
import { machine } from './lib/machine.mjs';
import { readOptions } from './lib/options.mjs';
import { report, table } from './lib/report.mjs';
import { ascending, median, quantile, seededRandom } from './lib/stats.mjs';

const options = readOptions({ count: 1_000, pauseMs: 10, isolation: 'thread', goalUs: 50 });
const WARM = 50;
/** Differences are taken of blocks, each in the same minute of the machine: their spread is the figure's own noise. */
const BLOCKS = 10;

const about = machine();
const library = await assembleLibrary({ isolation: options.isolation, models: ['spam', 'fraud_detector'] });
const random = seededRandom(5);

const measure = async ({ name, lane, batched }, pauseMs) => {
  const ways = { lane, batched };
  for (let i = 0; i < WARM; i++) for (const way of Object.values(ways)) await way();
  const times = { lane: [], batched: [] };
  for (let i = 0; i < options.count; i++) {
    const order = random() < 0.5 ? ['lane', 'batched'] : ['batched', 'lane'];
    for (const way of order) {
      if (pauseMs > 0) await pause(pauseMs);
      const startedAt = performance.now();
      await ways[way]();
      times[way].push((performance.now() - startedAt) * 1000);
    }
  }
  const p50 = (list) => quantile(ascending(list), 0.5);
  const size = Math.ceil(options.count / BLOCKS);
  const added = Array.from({ length: BLOCKS }, (_, block) => {
    const part = (list) => list.slice(block * size, (block + 1) * size);
    return p50(part(times.batched)) - p50(part(times.lane));
  });
  const load = p50(times.batched) / 1000 / (pauseMs + p50(times.batched) / 1000) / library.lanes;
  console.log(
    `${name}, pauses of ${pauseMs} ms: ${p50(times.lane).toFixed(1)} µs, ${p50(times.batched).toFixed(1)} µs`,
  );
  return { name, pauseMs, times, added, laneUs: p50(times.lane), batchedUs: p50(times.batched), load };
};

const results = [];
try {
  for (const way of library.ways)
    for (const pauseMs of [options.pauseMs, 0]) results.push(await measure(way, pauseMs));
} finally {
  await library.close();
}

const rows = results.map(({ name, pauseMs, times, added, laneUs, batchedUs, load }) => ({
  input: name,
  'pauses ms': pauseMs,
  'lane p50 µs': laneUs,
  'batcher p50 µs': batchedUs,
  'added p50 µs': batchedUs - laneUs,
  'in blocks': `${Math.min(...added).toFixed(0)} to ${Math.max(...added).toFixed(0)}, median ${median(added).toFixed(0)}`,
  'added p90 µs': quantile(ascending(times.batched), 0.9) - quantile(ascending(times.lane), 0.9),
  'load of the lanes': `${(100 * load).toFixed(1)} %`,
}));
const worstOf = (some) => Math.max(...some.map(({ batchedUs, laneUs }) => batchedUs - laneUs));
const worst = worstOf(results.filter(({ pauseMs }) => pauseMs > 0));
const warm = worstOf(results.filter(({ pauseMs }) => pauseMs === 0));
const isMet = worst <= options.goalUs;

report({
  name: `idle-latency${options.isolation === 'thread' ? '' : `-${options.isolation}`}`,
  title: `What the batcher adds at idle, ${options.isolation} lanes`,
  machine: about,
  sections: [[`${options.count} lone requests each way, in turn`, table(rows)]],
  verdict: `goal of ${options.goalUs} µs ${isMet ? 'met' : 'MISSED'}: at most ${worst.toFixed(1)} µs added to the p50 with pauses, ${warm.toFixed(1)} µs without${about.loadBefore > 0.5 ? '; the machine was busy before, repeat on a quiet one' : ''}`,
  data: {
    options,
    results: results.map(({ times, ...rest }) => ({ ...rest, quantilesUs: quantilesOf(times) })),
  },
  isDry: options.dry,
});
if (!isMet) process.exitCode = 1;

function quantilesOf(times) {
  return Object.fromEntries(
    Object.entries(times).map(([way, list]) => {
      const sorted = ascending(list);
      return [way, [0.05, 0.25, 0.5, 0.75, 0.9, 0.99].map((q) => quantile(sorted, q))];
    }),
  );
}
