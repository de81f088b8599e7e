import { pino } from 'pino';
import pretty from 'pino-pretty';

/** One line: fields and a message, or a message alone. An `err` field is written with its stack. */
export interface LogFn {
  (fields: object, message?: string): void;
  (message: string): void;
}

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

/** What the gateway asks of a logger; a pino instance of the host fits. */
export interface Logger {
  /** Set to change it. */
  level: string;
  readonly trace: LogFn;
  readonly debug: LogFn;
  readonly info: LogFn;
  readonly warn: LogFn;
  readonly error: LogFn;
  readonly fatal: LogFn;
  /** A logger whose lines carry `bindings` too. */
  child(bindings: Record<string, unknown>): Logger;
}

export interface LoggerOptions {
  /** Least severe level that is written. Default `info`. */
  readonly level?: LogLevel;
  /** `json`: one object a line; `pretty`: for eyes; `auto` (default): pretty when the destination is a terminal. */
  readonly format?: 'auto' | 'json' | 'pretty';
}

export interface LogDestination {
  write(line: string): unknown;
  readonly isTTY?: boolean;
}

/** Most bytes of lines kept for a reader of stdout that has stopped reading; more are dropped, not piled up. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;

/**
 * JSON lines to stdout are written off the event loop and flushed at exit; a `destination` of one's own gets each line
 * before the call returns.
 */
export const createLogger = (options: LoggerOptions = {}, destination?: LogDestination): Logger => {
  const { level = 'info', format = 'auto' } = options;
  const target = destination ?? process.stdout;
  const isTerminal = target.isTTY === true;
  const isPretty = format === 'pretty' || (format === 'auto' && isTerminal);
  const settings: pino.LoggerOptions = {
    level,
    base: { service: 'carpool' },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  };
  if (isPretty) return pino(settings, prettyStream(target, isTerminal));
  return pino(settings, destination ?? stdoutLines());
};

/**
 * A disk that is full must not end the gateway: without a listener, an 'error' does. What can't be written is dropped; and
 * while that is so nothing is flushed at the end, since the stream would try for ever.
 */
const stdoutLines = (): pino.DestinationStream => {
  const lines = pino.destination({ sync: false, maxLength: MAX_BUFFERED_BYTES });
  const flushSync = lines.flushSync.bind(lines);
  let isFull = false;
  lines.on('error', () => (isFull = true));
  lines.on('write', () => (isFull = false));
  lines.flushSync = () => {
    if (!isFull) flushSync();
  };
  return lines;
};

/** In this thread and synchronous: pino's own transports keep a worker thread alive. */
const prettyStream = (target: LogDestination, colorize: boolean): pino.DestinationStream => {
  const format = pretty.prettyFactory({ colorize, translateTime: 'SYS:HH:MM:ss.l', ignore: 'service' });
  return { write: (line) => void target.write(format(line)) };
};

const ignore: LogFn = () => undefined;

/** Writes nothing. */
export const silentLogger = (): Logger => ({
  level: 'silent',
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  fatal: ignore,
  child: silentLogger,
});
