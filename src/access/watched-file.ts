import { readFileSync, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { messageOf } from '../errors.js';
import { looksOf } from '../file-looks.js';
import type { Logger } from '../telemetry/logger.js';

export interface WatchedFileDeps {
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly logger: Logger;
  /** How a file that has changed is read again. Default: from disk. */
  readonly readText?: (file: string) => Promise<string>;
}

/** A change is in force for every request that comes this long after it. */
const CHECK_EVERY_MS = 1000;

/**
 * What a file says, read again when it changes; a file that is broken or gone leaves the old content in force, and says so
 * in the log. It is looked at when it is asked for, at most once a second: nothing runs in between, there is nothing to
 * close, and files that are swapped as symlinks (Kubernetes' secrets) are seen, too.
 */
export class WatchedFile<T> {
  readonly #file: string;
  readonly #parse: (text: string) => T;
  readonly #deps: WatchedFileDeps;
  #value: T;
  #stamp: string;
  #checkedAtMs: number;
  #checking: Promise<T> | undefined;
  /** What the log was told last; undefined = it was all right. */
  #fault: string | undefined;

  /**
   * @param file absolute path
   * @param parse throws where the text is wrong
   * @throws Error where the file can not be read, and what `parse` throws
   */
  constructor(file: string, parse: (text: string) => T, deps: WatchedFileDeps) {
    this.#file = file;
    this.#parse = parse;
    this.#deps = deps;
    // The stamp first: a change in between is seen at the next look. Owner and rights count: it may be readable only now.
    this.#stamp = looksOf(statSync(file, { bigint: true }));
    this.#value = parse(readFileSync(file, 'utf8'));
    this.#checkedAtMs = deps.now();
  }

  /** Never rejects. */
  current(): T | Promise<T> {
    if (this.#checking !== undefined) return this.#checking;
    if (this.#deps.now() - this.#checkedAtMs < CHECK_EVERY_MS) return this.#value;
    this.#checking = this.#check().finally(() => {
      this.#checkedAtMs = this.#deps.now();
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async #check(): Promise<T> {
    const { logger, readText = fromDisk } = this.#deps;
    const file = this.#file;
    try {
      const stamp = looksOf(await stat(file, { bigint: true }));
      if (stamp !== this.#stamp) {
        const text = await readText(file);
        // Now: one that could not be read is tried again, one that says nonsense only when it changes.
        this.#stamp = stamp;
        this.#value = this.#parse(text);
        logger.info({ file }, 'access: read a file again that has changed');
      }
      this.#fault = undefined;
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== this.#fault)
        logger.error(
          { file, reason },
          'access: a file that has changed can not be used; what it said before stays in force',
        );
      this.#fault = reason;
    }
    return this.#value;
  }
}

const fromDisk = (file: string): Promise<string> => readFile(file, 'utf8');
