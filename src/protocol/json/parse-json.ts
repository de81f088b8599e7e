import { isUtf8 } from 'node:buffer';
import { parse as parseLossless } from 'lossless-json';
import { CarpoolError } from '../../errors.js';
import { explainSyntax } from './explain-syntax.js';
import { nestsDeeper } from './nesting.js';

/** Deepest nesting of lists and objects in a body. */
export const MAX_NESTING = 64;

/** uint64 has 20 digits at most; BigInt takes time that grows faster than the number of digits. */
const MAX_BIGINT_CHARS = 21;

/**
 * An integer literal that may lie beyond ±2^53, but not the digits behind a point: doubles are printed with up to 17.
 * It also fires on such digits inside strings, which only costs the slower parse.
 */
const BIG_INTEGER = /(?<![\d.])(?:\d{17,}|9\d{15})(?![\d.eE])/;

const parseNumber = (literal: string): number | bigint => {
  const value = Number(literal);
  if (Number.isSafeInteger(value) || literal.length > MAX_BIGINT_CHARS) return value;
  return /^-?\d+$/.test(literal) ? BigInt(literal) : value;
};

/** As `JSON.parse` does it: the last one wins. */
const onDuplicateKey = ({ newValue }: { newValue: unknown }): unknown => newValue;

/**
 * JSON from the bytes of a body: UTF-8, a byte order mark allowed. Integers beyond ±2^53 (up to 20 digits) become
 * bigint, all other numbers number. Keys such as `__proto__` become own properties: read bodies by `Object.hasOwn` only.
 *
 * @throws CarpoolError INVALID_REQUEST: no body, not UTF-8, not JSON (with line and column), or nested deeper than 64.
 */
export const parseJson = (bytes: Uint8Array): unknown => {
  if (!isUtf8(bytes))
    throw new CarpoolError('INVALID_REQUEST', 'body: expected JSON in UTF-8, got other bytes');
  const decoded = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const text = decoded.startsWith('\uFEFF') ? decoded.slice(1) : decoded;
  if (text.trimStart() === '') throw new CarpoolError('INVALID_REQUEST', 'no body; expected a JSON object');
  if (nestsDeeper(text, MAX_NESTING))
    throw new CarpoolError('INVALID_REQUEST', `body: nested deeper than ${MAX_NESTING} levels`);
  let value: unknown;
  try {
    // First also where the exact parser has to follow: errors and their messages are then the same for every body.
    value = JSON.parse(text);
  } catch (error) {
    throw new CarpoolError('INVALID_REQUEST', explainSyntax(text), { cause: error });
  }
  return BIG_INTEGER.test(text) ? parseLossless(text, null, { parseNumber, onDuplicateKey }) : value;
};
