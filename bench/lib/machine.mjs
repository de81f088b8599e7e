import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import { basename, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

const versionOf = (name) =>
  JSON.parse(readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), 'utf8'))
    .version;

/** What the figures of a bench depend on; nothing that names the machine. */
export const machine = () => ({
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: availableParallelism(),
  memoryGiB: Math.round((totalmem() / 2 ** 30) * 10) / 10,
  os: `${type()} ${release()}`,
  node: process.version,
  onnxruntimeNode: versionOf('onnxruntime-node'),
  express: versionOf('express'),
  /** Of the last minute, before the bench: above 0.5 somebody else was at work, and the figures are theirs too. */
  loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  date: new Date().toISOString(),
  command: `${basename(process.argv0)} ${[relative(PROJECT, process.argv[1] ?? ''), ...process.argv.slice(2)].join(' ')}`,
});
