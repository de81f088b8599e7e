import type { Clock } from '#batcher';
import type { Logger, LogLevel } from './logger.js';

export interface LogLevelState {
  readonly level: string;
  /** What it returns to. */
  readonly configured: string;
  /** Milliseconds until it does; absent = it stays. */
  readonly returnsInMs?: number;
}

/** Most to least severe, pino's. */
export const LOG_LEVELS = [
  'silent',
  'fatal',
  'error',
  'warn',
  'info',
  'debug',
  'trace',
] as const satisfies readonly LogLevel[];

/** Changes the level of a running gateway's log, and takes it back. */
export class LogLevelSwitch {
  readonly #logger: Logger;
  readonly #clock: Clock;
  #configured: string;
  #returnsAtMs: number | undefined;
  #cancelReturn: (() => void) | undefined;

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
    this.#configured = logger.level;
  }

  get state(): LogLevelState {
    const at = this.#returnsAtMs;
    const returnsInMs = at === undefined ? undefined : Math.max(0, Math.round(at - this.#clock.now()));
    return {
      level: this.#logger.level,
      configured: this.#configured,
      ...(returnsInMs === undefined ? {} : { returnsInMs }),
    };
  }

  /**
   * @param forMs then back to the configured level; undefined = it stays
   * @param who fields of the line that tells of it
   */
  set(level: string, forMs: number | undefined, who: object): void {
    this.#forget();
    this.#change(level, { ...who, forMs });
    if (forMs === undefined || level === this.#configured) return;
    this.#returnsAtMs = this.#clock.now() + forMs;
    this.#cancelReturn = this.#clock.callAt(this.#returnsAtMs, () => {
      this.#forget();
      this.#change(this.#configured, { by: 'time' });
    });
  }

  /** The configuration says another level: it holds from now on, whatever was set. */
  configure(level: string, who: object): void {
    this.#configured = level;
    this.set(level, undefined, who);
  }

  /** Debug, or back to the configured level. */
  toggleDebug(who: object): void {
    this.set(this.#logger.level === 'debug' ? this.#configured : 'debug', undefined, who);
  }

  /** Leaves no timer. */
  close(): void {
    this.#forget();
  }

  #forget(): void {
    this.#cancelReturn?.();
    this.#cancelReturn = undefined;
    this.#returnsAtMs = undefined;
  }

  /** The line is written at the more talkative of the two levels, so that no change goes unseen that can be seen. */
  #change(level: string, fields: object): void {
    const from = this.#logger.level;
    const tell = (): void =>
      this.#logger.warn({ audit: 'log-level', from, to: level, ...fields }, 'log level changed');
    const isQuieter = rankOf(level) < rankOf(from);
    if (isQuieter) tell();
    this.#logger.level = level;
    if (!isQuieter) tell();
  }
}

const rankOf = (level: string): number => LOG_LEVELS.findIndex((each) => each === level);
