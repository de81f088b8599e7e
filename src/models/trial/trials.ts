import { totalmem } from 'node:os';
import { CarpoolError, codeOf, messageOf } from '../../errors.js';
import type { OpenLink } from '../../executor/link.js';
import type { OnLane } from '../open-model.js';
import { onLaneApart } from './lane-apart.js';
import { KnownFiles } from './known-files.js';

export interface TrialsDeps {
  /** Opens a throw-away process. */
  readonly open: OpenLink;
  readonly executionProviders: readonly string[];
  readonly cacheDir: string;
  readonly onFault: (message: string) => void;
}

/** What a trial may take of the memory that this process may use. */
const MEMORY_PART = 0.75;

/** New model files run first in a process of their own: one that crashes the runtime takes nothing down. */
export class Trials {
  readonly #deps: TrialsDeps;
  readonly #known: KnownFiles;
  readonly #closed = new AbortController();

  constructor(deps: TrialsDeps) {
    this.#deps = deps;
    this.#known = new KnownFiles(deps.cacheDir);
  }

  /** Ends the trials under way, a process that hangs too; none begins from here on. */
  close(): void {
    this.#closed.abort();
  }

  /**
   * @param work opens and runs the model in the lane that it is given
   * @throws MODEL_LOAD_FAILED where that lane died or broke a limit; else what `work` throws
   */
  async pass(
    file: string,
    { timeoutMs, memoryBytes }: { readonly timeoutMs: number; readonly memoryBytes: number | 'auto' },
    work: (onLane: OnLane) => Promise<unknown>,
  ): Promise<void> {
    const { open, executionProviders, onFault } = this.#deps;
    const key = await this.#known.keyOf(file, executionProviders);
    if (key !== undefined && (await this.#known.has(key))) return;
    const limits = {
      timeoutMs,
      memoryBytes: memoryBytes === 'auto' ? memoryLimit() : memoryBytes,
      signal: this.#closed.signal,
    };
    try {
      await work((onLane) => onLaneApart(open, limits, onLane));
    } catch (error) {
      if (codeOf(error) !== 'WORKER_LOST') throw error;
      throw new CarpoolError(
        'MODEL_LOAD_FAILED',
        `${file}: refused after a trial run in a process of its own: ${messageOf(error)}`,
      );
    }
    if (key === undefined) return;
    await this.#known.add(key).catch((error: unknown) => {
      onFault(`${file} has passed its trial, which could not be noted down: ${messageOf(error)}`);
    });
  }
}

const memoryLimit = (): number => {
  // 0 or absurdly large where nothing constrains it.
  const constrained = process.constrainedMemory();
  const total = totalmem();
  return MEMORY_PART * (constrained > 0 && constrained < total ? constrained : total);
};
