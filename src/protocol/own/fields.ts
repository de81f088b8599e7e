import { CarpoolError } from '../../errors.js';
import { describe, isObject, quoted } from '../json/describe.js';

export type Body = Readonly<Record<string, unknown>>;

export const refuse = (where: string, problem: string): CarpoolError =>
  new CarpoolError('INVALID_REQUEST', `${where}: ${problem}`);

/** A key of a caller's object; never what the object inherits. */
export const field = (body: Body, key: string): unknown => (Object.hasOwn(body, key) ? body[key] : undefined);

/** More than these would hide what went wrong; they stand in the order of their use. */
const LISTED_KEYS = 6;

const listed = (keys: readonly string[]): string =>
  keys.slice(0, LISTED_KEYS).join(', ') + (keys.length > LISTED_KEYS ? ' …' : '');

/** @throws CarpoolError INVALID_REQUEST when `body` isn't an object or has a key that isn't one of `keys`. */
export const objectBody = (body: unknown, keys: readonly string[], where = 'body'): Body => {
  if (!isObject(body)) throw refuse(where, `expected an object with ${listed(keys)}; got ${describe(body)}`);
  for (const key of Object.keys(body))
    if (!keys.includes(key)) throw refuse(where, `unknown key ${quoted(key)}; expected ${listed(keys)}`);
  return body;
};

/** A non-empty string or nothing. */
export const optionalText = (body: Body, key: string): string | undefined => {
  const value = field(body, key);
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw refuse(key, `expected a non-empty string, got ${describe(value)}`);
};

export const requiredText = (body: Body, key: string): string => {
  const value = optionalText(body, key);
  if (value === undefined) throw refuse(key, 'expected a non-empty string, got nothing');
  return value;
};

export const optionalFlag = (body: Body, key: string): boolean | undefined => {
  const value = field(body, key);
  if (value === undefined || typeof value === 'boolean') return value;
  throw refuse(key, `expected true or false, got ${describe(value)}`);
};

/** An integer above 0, or nothing. */
export const optionalCount = (body: Body, key: string): number | undefined => {
  const value = field(body, key);
  if (value === undefined || (typeof value === 'number' && Number.isInteger(value) && value > 0))
    return value;
  throw refuse(key, `expected an integer above 0, got ${describe(value)}`);
};
