import { CarpoolError } from '../../errors.js';
import type { InferOptions } from '../../infer.js';
import { describe, isList, isObject } from '../json/describe.js';
import { type Body, field, optionalFlag, refuse } from '../own/fields.js';

const EMPTY = 'cannot be empty';

/** In the words of text-embeddings-inference, which has a status of its own for it: see `isEmptyError`. */
export const emptyError = (key: string): CarpoolError => refuse(key, EMPTY);

/** By its message: an error that comes from the codec thread has kept nothing else. */
export const isEmptyError = ({ message }: { readonly message: string }): boolean =>
  message.endsWith(`: ${EMPTY}`);

/**
 * A body of somebody else's protocol: clients send more keys than are read here, and null for what they leave out.
 * @throws CarpoolError INVALID_REQUEST unless it is an object
 */
export const looseBody = (value: unknown, where = 'body'): Body => {
  if (!isObject(value)) throw refuse(where, `expected an object, got ${describe(value)}`);
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== null));
};

/** An object within it; empty where there is none. */
export const looseMember = (body: Body, key: string): Body => {
  const value = field(body, key);
  return value === undefined ? {} : looseBody(value, key);
};

/** @throws CarpoolError INVALID_REQUEST */
export const oneOf = <T extends string>(body: Body, key: string, values: readonly T[]): T | undefined => {
  const value = field(body, key);
  if (value === undefined) return undefined;
  const found = values.find((known) => known === value);
  if (found !== undefined) return found;
  throw refuse(key, `expected one of ${values.join(', ')}; got ${describe(value)}`);
};

/** `truncate`, `truncation_direction`. @throws CarpoolError INVALID_REQUEST */
export const truncation = (body: Body): Pick<InferOptions, 'truncate' | 'truncateFrom'> => {
  const truncate = optionalFlag(body, 'truncate');
  const side = oneOf(body, 'truncation_direction', ['right', 'left', 'Right', 'Left']);
  return {
    ...(truncate === undefined ? {} : { truncate }),
    ...(side === undefined ? {} : { truncateFrom: side === 'left' || side === 'Left' ? 'left' : 'right' }),
  };
};

/** @throws CarpoolError INVALID_REQUEST where a prompt is asked for */
export const refusePrompt = (body: Body): void => {
  if (field(body, 'prompt_name') !== undefined)
    throw refuse('prompt_name', 'prompts are not known here; put its text in front of the inputs');
};

/** @throws CarpoolError INVALID_REQUEST for none, PAYLOAD_TOO_LARGE for more than `maxRows` */
export const limitRows = (rows: number, key: string, maxRows: number): void => {
  if (rows === 0) throw emptyError(key);
  if (rows > maxRows)
    throw new CarpoolError(
      'PAYLOAD_TOO_LARGE',
      `${key}: expected at most ${maxRows} in a request, got ${rows}`,
    );
};

/** A list of strings, at least one. @throws CarpoolError INVALID_REQUEST, PAYLOAD_TOO_LARGE */
export const strings = (value: unknown, key: string, maxRows: number): string[] => {
  if (!isList(value)) throw refuse(key, `expected a list of strings, got ${describe(value)}`);
  limitRows(value.length, key, maxRows);
  return value.map((text, index) => stringAt(text, `${key}[${index}]`));
};

/** @throws CarpoolError INVALID_REQUEST */
export const stringAt = (value: unknown, where: string): string => {
  if (typeof value === 'string') return value;
  throw refuse(where, `expected a string, got ${describe(value)}`);
};
