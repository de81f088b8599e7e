import { isScalar, parseDocument, type Document } from 'yaml';
import { messageOf } from '../errors.js';
import { ConfigError, type Problem } from './config-error.js';
import { parsePath, type KeyPath } from './key-path.js';

/** One setting from outside of the file. */
export interface Override {
  readonly keys: KeyPath;
  readonly value: unknown;
  /** As it was given: `CARPOOL_PORT=9090`, `--set batching.maxBatch=8`. */
  readonly label: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const asInteger = (text: string): unknown => (/^\d+$/.test(text) ? Number(text) : text);

const VARIABLES: readonly { name: string; keys: KeyPath; read: (text: string) => unknown }[] = [
  { name: 'CARPOOL_HOST', keys: ['server', 'host'], read: (text) => text },
  { name: 'CARPOOL_PORT', keys: ['server', 'port'], read: asInteger },
  { name: 'CARPOOL_LOG_LEVEL', keys: ['log', 'level'], read: (text) => text },
];

/** The environment's settings. An empty variable counts as absent: that is what `X=$Y` gives when Y is not set. */
export const fromEnvironment = (env: Environment): Override[] =>
  VARIABLES.flatMap(({ name, keys, read }) => {
    const text = env[name];
    if (text === undefined || text === '') return [];
    return [{ keys, value: read(text), label: `${name}=${text}` }];
  });

const readFlow = (document: Document): { value: unknown } | { fault: string } => {
  try {
    return { value: document.toJS() };
  } catch (error) {
    return { fault: messageOf(error) };
  }
};

/**
 * A value as YAML would read it: `8`, `true`, `[a, b]`, `"8"`. Bare text that YAML has other plans for (`*`, `a: b`)
 * is a string here, so that `models.load=*` needs no quotes inside quotes.
 */
const readValue = (text: string): { value: unknown } | { fault: string } => {
  const document = parseDocument(text, { prettyErrors: false });
  const fault = document.errors[0]?.message;
  if (/^\s*[[{"']/.test(text)) return fault === undefined ? readFlow(document) : { fault };
  const { contents } = document;
  const isPlain = fault === undefined && isScalar(contents) && text.trim() !== '';
  return { value: isPlain ? contents.value : text };
};

const problem = (label: string, text: string): Problem => ({
  path: '',
  where: label,
  message: `${label}: ${text}`,
});

/**
 * The settings of `--set a.b.c=value`, in their order.
 *
 * @throws ConfigError for those without `=`, without a key path, or with a list or object that does not parse.
 */
export const fromSetOptions = (set: readonly string[]): Override[] => {
  const problems: Problem[] = [];
  const overrides: Override[] = [];
  for (const text of set) {
    const label = `--set ${text}`;
    // A quoted model name may hold a "=".
    const [, path, value] = /^((?:"[^"]*"|[^="])*)=([^]*)$/.exec(text) ?? [];
    const keys = path === undefined ? undefined : parsePath(path.trim());
    if (value === undefined || keys === undefined) {
      problems.push(problem(label, 'expected a key path and a value, such as --set batching.maxBatch=8'));
      continue;
    }
    const read = readValue(value);
    if ('fault' in read) problems.push(problem(label, `the value is no YAML: ${read.fault}`));
    else overrides.push({ keys, value: read.value, label });
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return overrides;
};
