/**
 * Do models change without a failed request? Real gateway, over HTTP, on Linux. After `npm run build`:
 *
 *   node bench/hot-swap.mjs [--swaps 100] [--seconds 60] [--clients 16] [--canary 20000] [--share 0.05] [--dry]
 *
 * 1. Swaps, one after the other, evenly over the time, of y = 3x + 1 and y = x + 1 under load: by the policy, by a
 *    rollback, by files (a new version copied in, SIGHUP), and of a second model by loading another folder. Every answer
 *    must be 200, and be what its version computes.
 * 2. A split: so many requests, each from an address of its own (127.x.y.z), must come within one percent of the share;
 *    the first thousand addresses ask again and must get the same version.
 */
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { machine, PROJECT } from './lib/machine.mjs';
import { memoryOf } from './lib/memory-of.mjs';
import { readOptions } from './lib/options.mjs';
import { report, table } from './lib/report.mjs';
import { listening, startCarpool } from './lib/servers.mjs';

const options = readOptions({ swaps: 100, seconds: 60, clients: 16, canary: 20_000, share: 0.05 });
const WITHIN = 0.01;
const AT_ONCE = 64;
const RETURNING = 1_000;

const about = machine();
const root = await mkdtemp(join(tmpdir(), 'carpool-swap-'));
const place = async (folder, fixture) => {
  await mkdir(join(root, 'models', folder), { recursive: true });
  const file = join(PROJECT, 'test/fixtures/models', `${fixture}.onnx`);
  await cp(file, join(root, 'models', folder, 'model.onnx'));
};
/** Odd versions compute 3x + 1, even ones x + 1. */
const fixtureOf = (version) => (version % 2 === 1 ? 'fixed_batch' : 'fixed_one');
for (const version of [1, 2]) await place(`m/${version}`, fixtureOf(version));
for (const version of [1, 2]) await place(`other${version}`, fixtureOf(version));
const config = 'models: { load: [m, other1], m: { versions: { serve: all } } }\n';
await writeFile(join(root, 'config.yaml'), config);

const server = await listening(await startCarpool(['--config', join(root, 'config.yaml')]));
const agent = new Agent({ keepAlive: true });

const send = (method, path, body, more = {}) =>
  new Promise((resolve) => {
    const req = request(
      {
        ...{ host: '127.0.0.1', port: server.port, method, path, agent },
        headers: { 'content-type': 'application/json' },
        ...more,
      },
      (res) => {
        let text = '';
        res.setEncoding('utf8').on('data', (part) => (text += part));
        res.on('end', () => resolve({ status: res.statusCode, text }));
      },
    );
    req.on('error', (error) => resolve({ status: 0, text: String(error) }));
    req.end(body === undefined ? undefined : JSON.stringify(body));
  });

const question = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [10, 10, 10] }] };
const ask = async (localAddress, model = 'm') => {
  const more = localAddress === undefined ? {} : { localAddress, agent: false };
  const { status, text } = await send('POST', `/v2/models/${model}/infer`, question, more);
  if (status !== 200) return { problem: `${status} ${text.slice(0, 200)}` };
  const { model_version: version, outputs } = JSON.parse(text);
  const computes = fixtureOf(Number(version)) === 'fixed_batch' ? 31 : 11;
  const wanted = model === 'm' ? [computes] : [31, 11];
  return wanted.includes(outputs[0].data[0]) ? { version } : { problem: `version ${version} said ${text}` };
};

/** Throws what keeps an operator's call from being done. */
const operate = async (method, path, body) => {
  const { status, text } = await send(method, path, body);
  if (status !== 200) throw new Error(`${method} ${path}: ${status} ${text}`);
};
let newest = 2;
const ways = {
  policy: (nth) => operate('PUT', '/v1/models/m/policy', { serve: 'all', default: 1 + (nth % 2) }),
  rollback: () => operate('POST', '/v1/models/m/rollback', {}),
  load: (nth) => operate('POST', '/v1/models', { name: 'other1', path: `other${1 + (nth % 2)}` }),
  files: async () => {
    await operate('PUT', '/v1/models/m/policy', {});
    newest++;
    await place(`m/${newest}`, fixtureOf(newest));
    if (newest > 4) await rm(join(root, 'models/m', String(newest - 2)), { recursive: true });
    process.kill(server.pid, 'SIGHUP');
    while ((await ask()).version !== String(newest)) await pause(20);
  },
};

const swapUnderLoad = async () => {
  const problems = [];
  const versions = new Set();
  let [requests, isOver] = [0, false];
  const clients = Array.from({ length: options.clients }, async (_, i) => {
    const model = i % 2 === 0 ? 'm' : 'other1';
    while (!isOver) {
      const { version, problem } = await ask(undefined, model);
      requests++;
      if (problem === undefined) versions.add(`${model} ${version}`);
      else problems.push(problem);
    }
  });
  const startedAt = performance.now();
  const names = Object.keys(ways);
  const done = Object.fromEntries(names.map((name) => [name, 0]));
  for (let nth = 0; nth < options.swaps; nth++) {
    // Those by files take two looks, a second apart: fewer of them.
    const name = nth % 10 === 9 ? 'files' : names[nth % 3];
    await ways[name](nth);
    done[name]++;
    const dueAt = startedAt + ((nth + 1) / options.swaps) * options.seconds * 1000;
    await pause(Math.max(0, dueAt - performance.now()));
  }
  const seconds = (performance.now() - startedAt) / 1000;
  isOver = true;
  await Promise.all(clients);
  return {
    swaps: options.swaps,
    ...done,
    seconds,
    requests,
    failed: problems.length,
    versions: versions.size,
    problems,
  };
};

const addressOf = (i) => `127.${1 + (i >> 14)}.${(i >> 7) & 127}.${1 + (i & 127)}`;

const split = async () => {
  await place('m/100', 'fixed_one');
  await operate('POST', '/v1/models', { name: 'm', path: 'm' });
  await operate('PUT', '/v1/models/m/policy', { split: { 100: options.share } });
  const problems = [];
  const got = [];
  let next = 0;
  const caller = async () => {
    while (next < options.canary) {
      const i = next++;
      const { version, problem } = await ask(addressOf(i));
      got[i] = version;
      if (problem !== undefined) problems.push(problem);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, caller));
  let moved = 0;
  for (let i = 0; i < Math.min(RETURNING, options.canary); i++)
    if ((await ask(addressOf(i))).version !== got[i]) moved++;
  const part = got.filter((version) => version === '100').length / options.canary;
  const percent = (value) => `${(value * 100).toFixed(2)} %`;
  return {
    requests: options.canary,
    wanted: percent(options.share),
    got: percent(part),
    part,
    moved,
    failed: problems.length,
    problems,
  };
};

/** Versions come and go; what is left must not grow. */
let results;
try {
  const before = memoryOf(server.pid).rss;
  const swaps = await swapUnderLoad();
  results = { swaps, memory: { before, after: memoryOf(server.pid).rss }, split: await split() };
} finally {
  agent.destroy();
  await server.stop();
  await rm(root, { recursive: true });
}

const { swaps, memory } = results;
const isGood =
  swaps.failed === 0 &&
  swaps.versions > 3 &&
  results.split.failed === 0 &&
  results.split.moved === 0 &&
  Math.abs(results.split.part - options.share) <= WITHIN;
const shown = ({ problems, part: _, ...rest }) =>
  table([rest]) +
  problems
    .slice(0, 5)
    .map((one) => `\n${one}`)
    .join('');
report({
  name: 'hot-swap',
  title: `${options.swaps} swaps in ${options.seconds} s, and a split of ${options.canary} requests`,
  machine: about,
  sections: [
    ['Swaps under load', shown(swaps)],
    ['Resident memory, MiB', table([memory])],
    ['Split, a caller an address', shown(results.split)],
  ],
  verdict: isGood ? 'no request failed, and the split holds' : 'NOT AS IT SHOULD BE',
  data: { options, results },
  isDry: options.dry,
});
if (!isGood) process.exitCode = 1;
