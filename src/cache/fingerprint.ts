import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { looksOf } from '../file-looks.js';
import { digestOf } from '../models/digest.js';
import type { ModelSource } from '../models/repository.js';

/** Everything that a version's numbers depend on, as far as files say. */
export interface Fingerprint {
  /** Hexadecimal SHA-256. */
  readonly digest: string;
  /** How the files that were read looked: unchanged means that they are still those. */
  readonly state: string;
}

/**
 * The ONNX file, whatever lies beside it but other ONNX files (external weights have no fixed name), the card, the
 * tokenizer, and `environment`: the runtime and how it is asked to run. Two models with the same fingerprint give the
 * same numbers, in this process or another.
 */
export const fingerprintOf = async (
  { file, card, tokenizer }: ModelSource,
  environment: readonly string[],
): Promise<Fingerprint> => {
  const before = await filesOf(file);
  const digests: string[] = [];
  for (const { name, path } of before.files) digests.push(name, await digestOf(path));
  const parts = [...digests, JSON.stringify(card), JSON.stringify(tokenizer ?? null), ...environment];
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  return { digest, state: before.state };
};

/** Are the files still those that were read? */
export const isUnchanged = async ({ file }: ModelSource, { state }: Fingerprint): Promise<boolean> => {
  const now = await filesOf(file).catch(() => undefined);
  return now?.state === state;
};

const filesOf = async (
  file: string,
): Promise<{ readonly files: readonly { name: string; path: string }[]; readonly state: string }> => {
  const folder = dirname(file);
  const entries = await readdir(folder, { withFileTypes: true });
  const beside = entries
    .filter((entry) => !entry.isDirectory() && !entry.name.endsWith('.onnx') && !entry.name.startsWith('.'))
    .map(({ name }) => ({ name, path: join(folder, name) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const files: { name: string; path: string }[] = [];
  const states: string[] = [];
  for (const each of [{ name: '', path: file }, ...beside]) {
    const found = await stat(each.path, { bigint: true });
    if (!found.isFile()) continue;
    files.push(each);
    states.push(`${each.name}:${looksOf(found)}`);
  }
  return { files, state: states.join('\n') };
};
