/**
 * Is memory flat? Many requests, spam texts of all lengths and fraud rows in turn, every answer checked, and the memory
 * of the server and of its lanes after each 10,000 of them. What V8 keeps out of laziness is kept small (all collect
 * their garbage before each look, and the space for young objects may not grow): it differs by tens of MiB from look to
 * look, and says nothing about leaks. After `npm run build`, on Linux:
 *
 *   node bench/memory.mjs [--requests 200000] [--every 10000] [--warmUp 40000] [--isolation thread,process]
 *     [--lazy: V8 as it is, which is what an operator sees] [--dry]
 */
import { setTimeout as pause } from 'node:timers/promises';
import { startLoad } from './lib/load-process.mjs';
import { machine } from './lib/machine.mjs';
import { childrenOf, memoryOf } from './lib/memory-of.mjs';
import { readOptions } from './lib/options.mjs';
import { report, table } from './lib/report.mjs';
import { listening, startCarpool } from './lib/servers.mjs';
import { slope } from './lib/stats.mjs';
import { fraudQuestions, spamQuestions } from './lib/workloads.mjs';

const options = readOptions({
  requests: 200_000,
  every: 10_000,
  warmUp: 40_000,
  clients: 16,
  isolation: 'thread,process',
  lazy: false,
});
/**
 * A leak lifts the line through all samples, and their floor: the least of the last third over the least of the first.
 * Not flat = both rise by more than this (the line: in 100,000 requests), and by more than this part of the memory.
 */
const FLAT_MIB = 8;
const FLAT_PART = 0.03;
/** From the signal to the look: collections, and what the allocator gives back. */
const SETTLE_MS = 1_000;
/** V8 lets the space for young objects grow to 16 MiB and keeps it: a step of 24 MiB a lane, some time, and no leak. */
const YOUNG_MIB = 1;
const SECONDS_LIMIT = 600;

const about = machine();
const texts = await spamQuestions({ count: 3_000, fewestWords: 1, mostWords: 150 });
const rowsAsked = fraudQuestions();
const questions = texts.flatMap((text, i) => [text, rowsAsked[i % rowsAsked.length]]);

const scrape = async (port) => {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const value = (name) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN) / 2 ** 20;
  return { heap: value('nodejs_heap_size_used_bytes'), external: value('nodejs_external_memory_bytes') };
};

const sample = async (server, requests) => {
  if (!options.lazy) for (const pid of [server.pid, ...childrenOf(server.pid)]) process.kill(pid, 'SIGUSR2');
  await pause(SETTLE_MS);
  const { rss, childrenRss, allRss } = memoryOf(server.pid);
  return {
    requests,
    rss,
    lanes: childrenRss.join(' + '),
    childrenRss,
    allRss,
    ...(await scrape(server.port)),
  };
};

const measure = async (isolation) => {
  const preload = new URL('lib/collect-on-signal.mjs', import.meta.url).href;
  const env = options.lazy ? {} : { NODE_OPTIONS: `--max-semi-space-size=${YOUNG_MIB} --import=${preload}` };
  const server = await listening(
    await startCarpool(['--set', `lanes.isolation=${isolation}`], 'carpool', env),
  );
  const load = await startLoad(questions);
  const samples = [];
  try {
    for (let done = 0; done < options.warmUp + options.requests;) {
      const isFirst = samples.length === 0 && done < options.warmUp;
      const requests = isFirst ? options.warmUp : options.every;
      await load.run({ port: server.port, clients: options.clients, requests, seconds: SECONDS_LIMIT });
      done += requests;
      samples.push(await sample(server, done));
      console.error(`${isolation} ${done}: ${samples.at(-1).allRss.toFixed(1)} MiB`);
    }
  } finally {
    load.stop();
    await server.stop();
  }
  return samples;
};

const judge = (samples) => {
  const values = samples.map((one) => one.allRss);
  const per100k =
    slope(
      samples.map((one) => one.requests),
      values,
    ) * 100_000;
  const third = Math.max(1, Math.floor(values.length / 3));
  const [firstFloor, lastFloor] = [Math.min(...values.slice(0, third)), Math.min(...values.slice(-third))];
  const limit = Math.max(FLAT_MIB, FLAT_PART * firstFloor);
  const isFlat = lastFloor - firstFloor <= limit || per100k <= limit;
  return { per100k, firstFloor, lastFloor, isFlat };
};

const results = {};
const sections = [];
const verdicts = [];
for (const isolation of options.isolation.split(',')) {
  const samples = await measure(isolation);
  const verdict = judge(samples);
  results[isolation] = { samples, ...verdict };
  const rows = samples.map(({ requests, rss, childrenRss, allRss, heap, external }) => ({
    requests,
    'RSS MiB': rss,
    'of the lanes MiB': childrenRss.map((one) => one.toFixed(1)).join(' + ') || '-',
    'all MiB': allRss,
    'JS heap MiB': heap,
    'external MiB': external,
  }));
  sections.push([`${isolation} lanes`, table(rows)]);
  const { per100k, firstFloor, lastFloor, isFlat } = verdict;
  verdicts.push(
    `${isolation} lanes: ${isFlat ? 'flat' : 'NOT FLAT'}: floor ${firstFloor.toFixed(1)} MiB in the first third, ${lastFloor.toFixed(1)} MiB in the last; slope ${per100k.toFixed(1)} MiB per 100,000 requests`,
  );
}

report({
  name: 'memory',
  title: `Memory over ${options.requests} requests`,
  machine: about,
  sections,
  verdict: verdicts.join('; '),
  data: { options, results },
  isDry: options.dry,
});
if (verdicts.some((verdict) => verdict.includes('NOT FLAT'))) process.exitCode = 1;
