import { readFileSync, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { messageOf } from '../errors.js';
import type { Logger } from '../telemetry/logger.js';

export interface WatchedFileDeps {
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly logger: Logger;
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

  /**
   * @param file absolute path
   * @param parse throws where the text is wrong
   * @throws Error where the file can not be read, and what `parse` throws
   */
  constructor(file: string, parse: (text: string) => T, deps: WatchedFileDeps) {
    this.#file = file;
    this.#parse = parse;
    this.#deps = deps;
    // The stamp first: a change in between is seen at the next look.
    this.#stamp = stampOf(statSync(file, { bigint: true }));
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
    const stamp = await stat(this.#file, { bigint: true }).then(stampOf, messageOf);
    if (stamp === this.#stamp) return this.#value;
    this.#stamp = stamp;
    try {
      this.#value = this.#parse(await readFile(this.#file, 'utf8'));
      this.#deps.logger.info({ file: this.#file }, 'access: read a file again that has changed');
    } catch (error) {
      this.#deps.logger.error(
        { file: this.#file, reason: messageOf(error) },
        'access: a file that has changed can not be used; what it said before stays in force',
      );
    }
    return this.#value;
  }
}

const stampOf = ({ mtimeNs, size, ino }: Record<'mtimeNs' | 'size' | 'ino', bigint>): string =>
  `${mtimeNs.toString()} ${size.toString()} ${ino.toString()}`;
