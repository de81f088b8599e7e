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
  /** Ends the trial that is under way. Default: each goes to its end. */
  readonly isClosing?: () => boolean;
}

/** What a trial may take of the memory that this process may use. */
const MEMORY_PART = 0.75;

/** New model files run first in a process of their own: one that crashes the runtime takes nothing down. */
export class Trials {
  readonly #deps: TrialsDeps;
  readonly #known: KnownFiles;

  constructor(deps: TrialsDeps) {
    this.#deps = deps;
    this.#known = new KnownFiles(deps.cacheDir);
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
    const { open, executionProviders, onFault, isClosing } = this.#deps;
    // A file that can't be read is not for a trial to tell.
    const key = await this.#known.keyOf(file, executionProviders).catch(() => undefined);
    if (key === undefined || (await this.#known.has(key))) return;
    const limits = {
      timeoutMs,
      memoryBytes: memoryBytes === 'auto' ? memoryLimit() : memoryBytes,
      ...(isClosing === undefined ? {} : { isClosing }),
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
