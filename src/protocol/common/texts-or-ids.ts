import { codePointCounter } from '../../codec/code-points.js';
import type { IdsInput, TextInput, TextUnit } from '../../infer.js';
import { describe, isList } from '../json/describe.js';
import { refuse } from '../own/fields.js';
import { emptyError, limitRows, strings } from './loose.js';

export interface Inputs {
  readonly input: TextInput | IdsInput;
  /** Unicode code points of the texts, or tokens. */
  readonly characters: number;
}

/** Highest id that the int32 of a sequence holds. */
const MAX_ID = 2 ** 31 - 1;

/**
 * `"text"`, `["text", …]`, `[id, …]` or `[[id, …], …]`.
 * @throws CarpoolError INVALID_REQUEST, PAYLOAD_TOO_LARGE (more than `maxRows`)
 */
export const textsOrIds = (value: unknown, key: string, maxRows: number): Inputs => {
  if (typeof value === 'string') return inputsOfTexts([value]);
  if (!isList(value))
    throw refuse(
      key,
      `expected a string, a list of strings, token ids or a list of these; got ${describe(value)}`,
    );
  const [first] = value;
  if (isList(first)) {
    limitRows(value.length, key, maxRows);
    return inputsOfIds(value.map((ids, index) => readIds(ids, `${key}[${index}]`)));
  }
  if (typeof first === 'number') return inputsOfIds([readIds(value, key)]);
  return inputsOfTexts(strings(value, key, maxRows));
};

/** `[id, …]` or `[[id, …], …]`. @throws as `textsOrIds` */
export const idsOnly = (value: unknown, key: string, maxRows: number): Inputs => {
  if (isList(value) && typeof value[0] !== 'string') return textsOrIds(value, key, maxRows);
  throw refuse(key, `expected token ids or a list of these, got ${describe(value)}`);
};

export const inputsOfTexts = (texts: readonly TextUnit[]): Inputs => ({
  input: { kind: 'texts', texts },
  characters: texts.reduce((sum, unit) => sum + charactersOf(unit), 0),
});

const charactersOf = (unit: TextUnit): number =>
  typeof unit === 'string'
    ? codePointCounter(unit)(unit.length)
    : charactersOf(unit[0]) + charactersOf(unit[1]);

const inputsOfIds = (sequences: readonly Int32Array[]): Inputs => {
  const lengths = Int32Array.from(sequences, ({ length }) => length);
  const characters = lengths.reduce((sum, length) => sum + length, 0);
  const ids = new Int32Array(characters);
  let at = 0;
  for (const sequence of sequences) {
    ids.set(sequence, at);
    at += sequence.length;
  }
  return { input: { kind: 'ids', ids, lengths }, characters };
};

const readIds = (value: unknown, where: string): Int32Array => {
  if (!isList(value)) throw refuse(where, `expected a list of token ids, got ${describe(value)}`);
  if (value.length === 0) throw emptyError(where);
  const ids = new Int32Array(value.length);
  for (let i = 0; i < ids.length; i++) {
    const id = value[i];
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id > MAX_ID)
      throw refuse(`${where}[${i}]`, `expected a token id, got ${describe(id)}`);
    ids[i] = id;
  }
  return ids;
};
