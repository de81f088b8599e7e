import { createHash } from 'node:crypto';
import { access, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { environment } from '../cost-cache.js';
import { digestOf } from '../digest.js';
import { writeWhole } from '../write-whole.js';

/** Weights that ONNX keeps outside of the file. */
const WEIGHTS = /(?:[._]data|\.bin|\.weights?)$/;

/** Files that have passed a trial, by content: remembered on disk, one small file each. */
export class KnownFiles {
  readonly #folder: string;
  readonly #known = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Names the content of a model's file, of the weights beside it, and what runs it.
   * @returns undefined where the file can't be read; one beside it may be another user's, or a folder
   */
  async keyOf(file: string, executionProviders: readonly string[]): Promise<string | undefined> {
    const own = await digestOf(file).catch(() => undefined);
    if (own === undefined) return undefined;
    const folder = dirname(file);
    const beside = (await readdir(folder).catch((): string[] => []))
      .filter((name) => name !== basename(file) && (WEIGHTS.test(name) || name.startsWith(basename(file))))
      .sort();
    const hash = createHash('sha256').update(JSON.stringify([environment(), executionProviders]));
    hash.update(own);
    for (const name of beside) hash.update(await digestOf(join(folder, name)).catch(() => 'unreadable'));
    return hash.digest('hex');
  }

  async has(key: string): Promise<boolean> {
    if (this.#known.has(key)) return true;
    const isThere = await access(this.#fileOf(key)).then(
      () => true,
      () => false,
    );
    if (isThere) this.#known.add(key);
    return isThere;
  }

  /** @throws where the folder can't be written; it is known until the end of the process all the same */
  async add(key: string): Promise<void> {
    this.#known.add(key);
    await writeWhole(this.#fileOf(key), `${JSON.stringify({ ...environment(), passed: true })}\n`);
  }

  #fileOf(key: string): string {
    return join(this.#folder, `trial-${key.slice(0, 32)}.json`);
  }
}
