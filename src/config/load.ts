import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../errors.js';
import { ConfigError } from './config-error.js';
import type { Locate } from './explain.js';
import { startsWith, withValueAt, type KeyPath } from './key-path.js';
import { fromEnvironment, fromSetOptions, type Environment, type Override } from './overrides.js';
import { resolveLocated } from './resolve.js';
import type { Config } from './schema.js';
import { readYaml, type YamlSource } from './yaml-source.js';

export interface LoadOptions {
  /** The `--config` option; wins over `CARPOOL_CONFIG`, which wins over `./config.yaml`. */
  readonly file?: string | undefined;
  readonly env: Environment;
  /** The `--set` options: `a.b.c=value`. */
  readonly set?: readonly string[];
  /** Default: the process's. */
  readonly cwd?: string;
}

export interface LoadedConfig {
  readonly config: Config;
  /** The file read, as it was named; undefined when there is none and all is defaults. */
  readonly file: string | undefined;
}

const DEFAULT_FILE = 'config.yaml';

const readFile = (cwd: string, name: string, label: string): YamlSource => {
  let text: string;
  try {
    text = readFileSync(path.resolve(cwd, name), 'utf8');
  } catch (error) {
    const message = `${label}: expected a readable file, got ${messageOf(error)}`;
    throw new ConfigError([{ path: '', where: label, message }]);
  }
  return readYaml(text, name);
};

const openSource = (
  { file, env }: LoadOptions,
  cwd: string,
): { name: string; source: YamlSource } | undefined => {
  if (file !== undefined) return { name: file, source: readFile(cwd, file, `--config ${file}`) };
  const named = env['CARPOOL_CONFIG'];
  if (named !== undefined && named !== '')
    return { name: named, source: readFile(cwd, named, `CARPOOL_CONFIG=${named}`) };
  if (!existsSync(path.join(cwd, DEFAULT_FILE))) return undefined;
  return { name: DEFAULT_FILE, source: readFile(cwd, DEFAULT_FILE, DEFAULT_FILE) };
};

/** Where a path was written last: an override that set it, else the file, else an override of something below it. */
const locator =
  (name: string | undefined, source: YamlSource | undefined, overrides: readonly Override[]): Locate =>
  (keys) => {
    const setBy = (test: (override: KeyPath) => boolean): ReturnType<Locate> => {
      const found = overrides.findLast((override) => test(override.keys));
      if (found === undefined || keys.length === 0) return undefined;
      return { where: found.label, names: found.keys.length >= keys.length };
    };
    const line = source?.lineOf(keys);
    return (
      setBy((override) => startsWith(keys, override)) ??
      (line === undefined ? undefined : { where: `${name ?? ''}:${line}`, names: false }) ??
      setBy((override) => startsWith(override, keys))
    );
  };

/**
 * The configuration of a process: file, then environment (`CARPOOL_HOST`, `CARPOOL_PORT`, `CARPOOL_LOG_LEVEL`), then
 * `--set`; the later wins. Paths are relative to the file's folder, or to `cwd` where there is no file.
 *
 * @throws ConfigError listing everything that is wrong, with the line, the variable or the option it came from.
 */
export const loadConfig = (options: LoadOptions): LoadedConfig => {
  const cwd = options.cwd ?? process.cwd();
  const opened = openSource(options, cwd);
  const overrides = [...fromEnvironment(options.env), ...fromSetOptions(options.set ?? [])];
  const raw = overrides.reduce<unknown>(
    (settings, { keys, value }) => withValueAt(settings, keys, value),
    opened === undefined ? {} : opened.source.raw,
  );
  const baseDir = opened === undefined ? cwd : path.dirname(path.resolve(cwd, opened.name));
  return {
    config: resolveLocated(raw, baseDir, locator(opened?.name, opened?.source, overrides)),
    file: opened?.name,
  };
};
