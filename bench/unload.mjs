/**
 * Does an unload give memory back? A model with 64 MiB of weights is loaded, asked, replaced by itself, and unloaded, over
 * and over, in both kinds of lanes; the resident memory of the gateway and its lanes after each step. After
 * `npm run build`, on Linux:
 *
 *   node bench/unload.mjs [--rounds 5] [--size 4096: of the matrix] [--dry]
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { largeModel } from './lib/large-model.mjs';
import { machine } from './lib/machine.mjs';
import { memoryOf } from './lib/memory-of.mjs';
import { readOptions } from './lib/options.mjs';
import { report, table } from './lib/report.mjs';
import { listening, startCarpool } from './lib/servers.mjs';

const options = readOptions({ rounds: 5, size: 4_096 });
const LANES = 2;
/** What the allocator gives back, it gives back by then. */
const SETTLE_MS = 1_000;
/** Part of the weights that may stay after the first unload and after the last. */
const MAY_STAY = 0.25;

const about = machine();
const root = await mkdtemp(join(tmpdir(), 'carpool-unload-'));
await mkdir(join(root, 'models/large'), { recursive: true });
await writeFile(join(root, 'models/large/model.onnx'), largeModel(options.size));
await writeFile(join(root, 'config.yaml'), `models: { load: [] }\nlanes: { count: ${LANES} }\n`);
const weightsMiB = (LANES * options.size ** 2 * 4) / 2 ** 20;

const measure = async (isolation) => {
  const args = ['--config', join(root, 'config.yaml'), '--set', `lanes.isolation=${isolation}`];
  const server = await listening(await startCarpool(args));
  const send = async (method, path, body) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, {
      ...{ method, headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  };
  const rssNow = async () => {
    await pause(SETTLE_MS);
    return memoryOf(server.pid).allRss;
  };
  const load = () => send('POST', '/v1/models', { name: 'large', path: 'large' });
  const row = Array(options.size).fill(1);
  try {
    const samples = [];
    const empty = await rssNow();
    for (let round = 1; round <= options.rounds; round++) {
      await load();
      await send('POST', '/v1/models/large/infer', { inputs: [row] });
      const loaded = await rssNow();
      await load();
      const replaced = await rssNow();
      await send('DELETE', '/v1/models/large');
      samples.push({ round, loaded, replaced, unloaded: await rssNow() });
    }
    return { empty, samples };
  } finally {
    await server.stop();
  }
};

const results = {};
const sections = [];
const verdicts = [];
try {
  for (const isolation of ['thread', 'process']) {
    const { empty, samples } = await measure(isolation);
    const [first, last] = [samples[0], samples.at(-1)];
    const stays = (sample) => (sample.unloaded - empty) / weightsMiB;
    const isFreed = stays(last) <= MAY_STAY || last.unloaded - first.unloaded <= MAY_STAY * weightsMiB;
    results[isolation] = { empty, samples, isFreed };
    sections.push([`${isolation} lanes, MiB; empty ${empty.toFixed(1)}`, table(samples)]);
    verdicts.push(
      `${isolation} lanes: ${isFreed ? 'freed' : 'NOT FREED'}: ${(last.loaded - empty).toFixed(0)} MiB more when loaded, ${(last.unloaded - empty).toFixed(0)} MiB after the last unload`,
    );
  }
} finally {
  await rm(root, { recursive: true });
}
report({
  name: 'unload',
  title: `Memory of a model of ${weightsMiB / LANES} MiB, a lane`,
  machine: about,
  sections,
  verdict: verdicts.join('; '),
  data: { options, results },
  isDry: options.dry,
});
if (verdicts.some((verdict) => verdict.includes('NOT FREED'))) process.exitCode = 1;
