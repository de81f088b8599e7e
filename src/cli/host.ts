import type { Environment } from '../config/overrides.js';
import type { Config } from '../config/schema.js';
import type { Gateway } from '../gateway.js';

/** A stream that lines are printed to. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
}

export type StopSignal = 'SIGTERM' | 'SIGINT';

/** Where signals come from; the process, or an EventEmitter in a test. */
export interface SignalSource {
  on(signal: StopSignal, listener: (signal: StopSignal) => void): unknown;
  on(signal: 'SIGUSR2' | 'SIGHUP', listener: () => void): unknown;
  off(signal: StopSignal, listener: (signal: StopSignal) => void): unknown;
  off(signal: 'SIGUSR2' | 'SIGHUP', listener: () => void): unknown;
}

/** Everything of the outside that the commands touch; main.ts passes the process's own. */
export interface CliHost {
  readonly version: string;
  readonly env: Environment;
  readonly cwd: string;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly signals: SignalSource;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly createGateway: (config: Config) => Gateway;
}

/** The options that `serve` and `check` share. */
export interface ConfigOptions {
  readonly config?: string;
  readonly set?: readonly string[];
}

/** How a command ended. */
export interface Ending {
  /** 0 = fine; 1 = refused config, failed start, failed check or forced stop; 2 = wrong usage. */
  readonly exitCode: 0 | 1 | 2;
  /** Work is cut off: do not wait for what is still open. */
  readonly atOnce: boolean;
  /** True while a lane is inside a run, when `process.exit` would abort. */
  readonly isRunning: () => boolean;
}

export const ended = (exitCode: Ending['exitCode']): Ending => ({
  exitCode,
  atOnce: false,
  isRunning: () => false,
});
