import { inspect } from 'node:util';

/** One thing that is wrong with a configuration. */
export interface Problem {
  /** Key path such as `batching.maxBatch`; empty for the file or an option as a whole. */
  readonly path: string;
  /** Where it was written: `config.yaml:12`, `CARPOOL_PORT=abc`, `--set batching.maxBtach=8`. */
  readonly where?: string;
  /** What should stand there, in words. */
  readonly expected?: string;
  /** What stands there, shortened. */
  readonly got?: string;
  /** The valid key path, or the valid value, that was most likely meant. */
  readonly nearest?: string;
  /** The whole line, `where` and `path` included. */
  readonly message: string;
}

/** The configuration can't be used; `problems` holds all that is wrong with it, not only the first. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'CONFIG_INVALID';

  constructor(readonly problems: readonly Problem[]) {
    super(`invalid configuration:\n${problems.map(({ message }) => `  ${message}`).join('\n')}`);
  }
}

const LONGEST_SHOWN = 60;

/** A value as a message shows it: on one line and cut to 60 characters. */
export const shorten = (value: unknown): string => {
  const text = inspect(value, { depth: 2, breakLength: Infinity, maxArrayLength: 8, maxStringLength: 80 });
  const shown = typeof value === 'string' ? JSON.stringify(value) : text.replace(/\s+/g, ' ');
  return shown.length > LONGEST_SHOWN ? `${shown.slice(0, LONGEST_SHOWN - 1)}…` : shown;
};
