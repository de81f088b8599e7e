/**
 * NVIDIA's perf_analyzer by HTTP and by gRPC. It lies in the wheel of tritonclient 2.50.0: the package of its own name on PyPI
 * is empty, and later wheels want glibc 2.38. It links libb64 (a package of Debian) and the CUDA runtime (a wheel), which it
 * does not use here.
 */
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makePython, Skip, tryCommand } from './python-env.mjs';

const WHEELS = ['tritonclient==2.50.0', 'nvidia-cuda-runtime-cu12==12.9.79'];
const BINARY = 'tritonclient-2.50.0.data/data/bin/perf_analyzer';
/** A number of them in place of a span of time: no steady figures are waited for, which a busy machine does not give. */
const REQUESTS_EACH = 300;
const LEVELS = [1, 16];
const LIBRARIES = ['nvidia/cuda_runtime/lib', 'usr/lib/x86_64-linux-gnu'];

const unpack = async (folder) => {
  const python = await makePython(join(folder, 'python'), []);
  for (const wheel of WHEELS) {
    const download = [
      '-m',
      'pip',
      'download',
      '--quiet',
      '--no-deps',
      '--only-binary',
      ':all:',
      '--dest',
      folder,
      wheel,
    ];
    await tryCommand(`${wheel} not from PyPI`, python, download);
  }
  await tryCommand('no libb64 from Debian', 'apt-get', ['download', 'libb64-0d'], folder);
  for (const file of await readdir(folder)) {
    const path = join(folder, file);
    if (file.endsWith('.whl')) await tryCommand(file, python, ['-m', 'zipfile', '-e', path, folder]);
    if (file.endsWith('.deb')) await tryCommand(file, 'dpkg-deb', ['-x', path, folder]);
  }
  await chmod(join(folder, BINARY), 0o755);
};

/**
 * Ids of texts as perf_analyzer reads them, which takes one after the other. Of four lengths: ids that were given are not
 * padded, so only equal lengths share a run.
 */
const textsOf = (count) =>
  Array.from({ length: count }, (_, i) => {
    const length = 8 * (1 + (i % 4));
    const of = (value) => ({ content: Array.from({ length }, (_, at) => value(at)), shape: [length] });
    return {
      input_ids: of((at) => (at === 0 ? 2 : at === length - 1 ? 3 : 10 + ((i * 97 + at * 31) % 7_000))),
      attention_mask: of(() => 1),
      token_type_ids: of(() => 0),
    };
  });

/**
 * @param folder for what is downloaded
 * @param at `host:port` of both
 * @returns a row of figures for every model, protocol and number of clients
 * @throws Skip where it can't be had; Error where it fails, or where nothing was batched for many clients
 */
export const runPerfAnalyzer = async (folder, at) => {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Skip('perf_analyzer is for Linux on x64');
  await mkdir(folder, { recursive: true });
  if (!existsSync(join(folder, BINARY))) await unpack(folder);
  const libraries = LIBRARIES.map((library) => join(folder, library)).join(':');
  const command = [`LD_LIBRARY_PATH=${libraries}`, join(folder, BINARY)];
  await tryCommand('perf_analyzer does not start', 'env', [...command, '--version']);

  const [texts, csv] = [join(folder, 'texts.json'), join(folder, 'figures.csv')];
  await writeFile(texts, JSON.stringify({ data: textsOf(64) }));
  const models = { fraud_detector: [], spam: ['--input-data', texts] };
  const rows = [];
  for (const [protocol, url] of Object.entries(at))
    for (const [model, extra] of Object.entries(models))
      for (const clients of LEVELS) {
        const count = String(clients * REQUESTS_EACH);
        const args = [
          '-m',
          model,
          '-u',
          url,
          '-i',
          protocol,
          '--concurrency-range',
          String(clients),
          ...extra,
        ];
        const asked = [...command, ...args, '--request-count', count, '-f', csv];
        const said = await tryCommand('perf_analyzer', 'env', asked).catch(failed);
        rows.push(figuresOf(said, await readFile(csv, 'utf8'), { protocol, model, clients }));
      }
  return rows;
};

/** It is here and does not pass: that is no skip. */
const failed = (error) => {
  throw new Error(error.message);
};

/** @throws Error for many clients of whom no two shared a run */
const figuresOf = (said, csv, what) => {
  const counted = (kind) => Number(new RegExp(`${kind} count: (\\d+)`).exec(said)?.[1]);
  const [rows, runs] = [counted('Inference'), counted('Execution')];
  const name = `perf_analyzer -m ${what.model} -i ${what.protocol}`;
  if (!(rows > 0 && runs > 0)) throw new Error(`${name}: no statistics of the server in ${said}`);
  if (what.clients > 1 && runs >= rows) throw new Error(`${name}: ${rows} rows in ${runs} runs`);
  const [head = [], figures = []] = csv
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  const figure = (column) => Math.round(Number(figures[head.indexOf(column)]));
  return {
    ...what,
    'infer/s': figure('Inferences/Second'),
    'p50 µs': figure('p50 latency'),
    'p99 µs': figure('p99 latency'),
    'queue µs': figure('Server Queue'),
    'compute infer µs': figure('Server Compute Infer'),
    'mean batch': rows / runs,
  };
};
