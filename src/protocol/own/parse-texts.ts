import { CarpoolError } from '../../errors.js';
import type { TextInput, TextUnit } from '../../infer.js';
import { describe, isList } from '../json/describe.js';
import { type Body, field, optionalText, refuse } from './fields.js';

/** Keys of a body that hold texts; `texts` or `pairs` is a must. */
export const TEXT_KEYS = ['texts', 'pairs', 'text_pairs', 'query'] as const;

export const hasTexts = (body: Body): boolean =>
  field(body, 'texts') !== undefined || field(body, 'pairs') !== undefined;

/**
 * The texts of a body: `texts` alone; `texts` with as many `text_pairs` behind them; a `query` before each of `texts`;
 * or `pairs` of two.
 * @throws CarpoolError INVALID_REQUEST, PAYLOAD_TOO_LARGE (more than `maxRows`)
 */
export const textInput = (body: Body, maxRows: number): TextInput => {
  const pairs = field(body, 'pairs');
  const seconds = field(body, 'text_pairs');
  const query = optionalText(body, 'query');
  if (pairs !== undefined) {
    for (const key of ['texts', 'text_pairs', 'query'] as const)
      if (field(body, key) !== undefined) throw refuse(key, 'can not be had with "pairs"');
    return { kind: 'texts', texts: listOf(pairs, 'pairs', 'pairs of strings', maxRows).map(pairOf) };
  }
  const texts = strings(field(body, 'texts'), 'texts', maxRows);
  if (query !== undefined) {
    if (seconds !== undefined) throw refuse('query', 'can not be had with "text_pairs"');
    return { kind: 'texts', texts: texts.map((text) => [query, text]) };
  }
  if (seconds === undefined) return { kind: 'texts', texts };
  const others = strings(seconds, 'text_pairs', maxRows);
  if (others.length !== texts.length)
    throw refuse('text_pairs', `expected ${texts.length}, as many as texts, got ${others.length}`);
  return { kind: 'texts', texts: texts.map((text, index) => [text, others[index] ?? '']) };
};

const strings = (value: unknown, key: string, maxRows: number): string[] =>
  listOf(value, key, 'strings', maxRows).map((text, index) => {
    if (typeof text === 'string') return text;
    throw refuse(`${key}[${index}]`, `expected a string, got ${describe(text)}`);
  });

const listOf = (value: unknown, key: string, what: string, maxRows: number): readonly unknown[] => {
  if (!isList(value)) {
    const hint = typeof value === 'string' ? '; a single text is a list of one' : '';
    throw refuse(key, `expected a list of ${what}, got ${describe(value)}${hint}`);
  }
  if (value.length === 0)
    throw refuse(key, `expected at least one ${what === 'strings' ? 'string' : 'pair'}, got an empty list`);
  if (value.length > maxRows)
    throw new CarpoolError(
      'PAYLOAD_TOO_LARGE',
      `${key}: expected at most ${maxRows} in a request, got ${value.length}`,
    );
  return value;
};

const pairOf = (value: unknown, index: number): TextUnit => {
  if (isList(value) && value.length === 2) {
    const [first, second] = value;
    if (typeof first === 'string' && typeof second === 'string') return [first, second];
  }
  throw refuse(`pairs[${index}]`, `expected a list of two strings, got ${describe(value)}`);
};
