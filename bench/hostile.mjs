/**
 * Hostile requests over every protocol and route, made from the gateway's own /openapi.json (as schemathesis does, from
 * valid examples that are changed), binary framing and protobufs that lie, and bytes that are no HTTP; good callers ask in
 * between. No status may be 5xx but 503 and 504, none of the good ones may be answered wrong, nothing may be logged as an
 * error, and memory may not grow. After `npm run build` and `npx tsc -b` (the attacks are test/hostile), on Linux:
 *
 *   node bench/hostile.mjs [--requests 100000] [--every 5000] [--seed 1] [--clients 16] [--isolation thread]
 *     [--only 1234: that one request alone] [--dry]
 */
import { setTimeout as pause } from 'node:timers/promises';
import { machine } from './lib/machine.mjs';
import { childrenOf, memoryOf } from './lib/memory-of.mjs';
import { readOptions } from './lib/options.mjs';
import { report, table } from './lib/report.mjs';
import { slope } from './lib/stats.mjs';
import { campaign } from '../dist/test/hostile/campaign.js';
import { besiege } from '../dist/test/hostile/siege.js';

const options = readOptions({
  requests: 100_000,
  every: 5_000,
  seed: 1,
  clients: 16,
  isolation: 'thread',
  only: -1,
});
/** Memory is looked at after this part of the requests: until then arenas and heaps find their size. */
const WARM_UP_PART = 0.3;
/** As in bench/memory.mjs: growth over the rest beyond this, and beyond this part of it, is a leak. */
const FLAT_MIB = 16;
const FLAT_PART = 0.05;
const SETTLE_MS = 1_000;
const MOST_SHOWN = 40;

const about = machine();
// As in bench/memory.mjs: what V8 keeps out of laziness would hide what is held.
const collector = new URL('lib/collect-on-signal.mjs', import.meta.url).href;
process.env.NODE_OPTIONS = `--max-semi-space-size=1 --import=${collector}`;
const siege = await besiege({ lanes: { isolation: options.isolation } });
const { gateway } = siege;

const attack = (from, to) => campaign({ ...siege, seed: options.seed, clients: options.clients, from, to });

const sample = async (requests) => {
  for (const pid of [gateway.pid, ...childrenOf(gateway.pid)]) process.kill(pid, 'SIGUSR2');
  await pause(SETTLE_MS);
  const text = await (await fetch(`http://127.0.0.1:${siege.port}/metrics`)).text();
  const mib = (name) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN) / 2 ** 20;
  const inFlight = Number(/^http_request_in_flight (\d+)$/m.exec(text)?.[1]) - 1;
  const { allRss } = memoryOf(gateway.pid);
  const [heap, external] = [mib('nodejs_heap_size_used_bytes'), mib('nodejs_external_memory_bytes')];
  return { requests, allRss, heap, external, inFlight };
};

const tally = {};
const problems = [];
const samples = [];
let goodAnswers = 0;
let ending = '';
let state = { faults: [], lanesLost: 0 };
const [first, last] = options.only < 0 ? [0, options.requests] : [options.only, options.only + 1];
try {
  for (let from = first; from < last && gateway.end === undefined; from += options.every) {
    const to = Math.min(last, from + options.every);
    const part = await attack(from, to);
    for (const [kind, count] of Object.entries(part.tally)) tally[kind] = (tally[kind] ?? 0) + count;
    problems.push(...part.problems);
    goodAnswers += part.goodAnswers;
    samples.push(await sample(to));
    const { allRss, heap, inFlight } = samples.at(-1);
    if (inFlight > 0) problems.push(`${inFlight} requests in flight when all were answered or gone`);
    console.error(
      `${to}: ${allRss.toFixed(0)} MiB, heap ${heap.toFixed(1)} MiB, ${problems.length} problems`,
    );
  }
  state = await gateway.state();
  ending = await siege.end(20_000);
} catch (error) {
  problems.push(String(error));
} finally {
  siege.raze();
}

const warm = samples.filter(({ requests }) => requests >= WARM_UP_PART * options.requests);
const third = Math.max(1, Math.floor(warm.length / 3));
const floor = (some) => Math.min(...some.map(({ allRss }) => allRss));
const [before, after] = [floor(warm.slice(0, third)), floor(warm.slice(-third))];
const per10k =
  10_000 *
  slope(
    warm.map(({ requests }) => requests),
    warm.map(({ allRss }) => allRss),
  );
const isFlat = after - before <= Math.max(FLAT_MIB, FLAT_PART * before);

const bySort = {};
for (const [kind, count] of Object.entries(tally)) {
  const [, sort, end] = /^(.*): (.*)$/.exec(kind);
  (bySort[sort] ??= {})[end] = count;
}
const rows = Object.entries(bySort)
  .sort(([a], [b]) => a.localeCompare(b))
  .map(([sort, ends]) => ({
    to: sort,
    sent: Object.values(ends).reduce((sum, count) => sum + count, 0),
    'ended in': Object.entries(ends)
      .sort(([, a], [, b]) => b - a)
      .map(([end, count]) => `${end} ×${count}`)
      .join(', '),
  }));

for (const problem of problems.slice(0, MOST_SHOWN)) console.error(problem);
for (const fault of state.faults.slice(0, MOST_SHOWN)) console.error(`logged: ${fault.slice(0, 1_000)}`);

const sent = rows.reduce((sum, row) => sum + row.sent, 0);
const isRight = problems.length === 0 && state.faults.length === 0 && ending === 'drained, code 0';
report({
  name: 'hostile',
  title: `${sent} hostile requests`,
  machine: about,
  sections: [
    ['What became of them', table(rows)],
    [
      'Memory',
      table(
        samples.map(({ requests, allRss, heap, external }) => ({
          requests,
          'all MiB': allRss,
          'JS heap MiB': heap,
          'external MiB': external,
        })),
      ),
    ],
  ],
  verdict: `${isRight ? 'right' : 'WRONG'}: ${problems.length} problems, ${state.faults.length} errors logged, ${state.lanesLost} lanes lost, ${goodAnswers} good answers in between, the gateway ended '${ending}'; memory ${isFlat ? 'flat' : 'NOT FLAT'}: ${before.toFixed(1)} MiB in the first third after warm-up, ${after.toFixed(1)} MiB in the last, slope ${per10k.toFixed(1)} MiB per 10,000 requests`,
  data: { options, tally, problems, samples },
  isDry: options.dry || options.only >= 0,
});
if (!isRight || !isFlat) process.exitCode = 1;
