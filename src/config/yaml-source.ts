import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document, Node, Pair, YAMLError } from 'yaml';
import { messageOf } from '../errors.js';
import { ConfigError, type Problem } from './config-error.js';
import type { KeyPath } from './key-path.js';

export interface YamlSource {
  /** Plain data; `{}` for an empty file. */
  readonly raw: unknown;
  /** 1-based line on which the key or list item at the path begins; undefined where the file has no such path. */
  lineOf(keys: KeyPath): number | undefined;
}

const SYNTAX_WORDS: Partial<Record<YAMLError['code'], string>> = {
  MULTIPLE_DOCS: 'expected one YAML document, got a second one after `---`',
  BAD_ALIAS: "an unquoted `*` begins a YAML alias; write it in quotes: '*'",
  TAB_AS_INDENT: 'expected spaces as indentation, got a tab',
};

const wordsFor = (error: YAMLError, text: string): string => {
  if (error.code !== 'DUPLICATE_KEY') return SYNTAX_WORDS[error.code] ?? error.message;
  const key = /^[^\s:,{}]+/.exec(text.slice(error.pos[0]))?.[0] ?? '';
  return `duplicate key \`${key}\`; expected every key once`;
};

const keyText = ({ key }: Pair): string => String(isScalar(key) ? key.value : key);

/** Offset of the first character of the entry at the path. */
const offsetOf = (document: Document, keys: KeyPath): number | undefined => {
  let node: unknown = document.contents;
  let offset: number | undefined = document.contents?.range?.[0];
  for (const key of keys) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find((item) => keyText(item) === String(key));
      if (pair === undefined) return undefined;
      node = pair.value;
      offset = (pair.key as Node | null)?.range?.[0];
    } else if (isSeq(node) && typeof key === 'number') {
      node = node.items[key];
      if (node === undefined) return undefined;
      offset = (node as Node).range?.[0];
    } else return undefined;
  }
  return offset;
};

/**
 * Reads YAML and remembers its lines.
 *
 * @param name the file as messages show it.
 * @throws ConfigError for anything that is not one well-formed YAML document.
 */
export const readYaml = (text: string, name: string): YamlSource => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const syntaxProblem = (message: string, line: number): Problem => {
    const where = `${name}:${line}`;
    return { path: '', where, message: `${where}: ${message}` };
  };
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0)
    throw new ConfigError(
      faults.map((fault) => syntaxProblem(wordsFor(fault, text), lines.linePos(fault.pos[0]).line)),
    );
  try {
    // Aliases are resolved here, and only here do missing and exploding ones show.
    const raw: unknown = document.toJS();
    return {
      raw: raw ?? {},
      lineOf: (keys) => {
        const offset = offsetOf(document, keys);
        return offset === undefined ? undefined : lines.linePos(offset).line;
      },
    };
  } catch (error) {
    throw new ConfigError([syntaxProblem(messageOf(error), 1)]);
  }
};
