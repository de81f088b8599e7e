import { CarpoolError, messageOf } from '../errors.js';
import type { TextTokenizer } from './tokenizer.js';

/** @throws CarpoolError INVALID_REQUEST naming the sequence with an id that is not in the vocabulary */
export const decodeAll = (
  tokenizer: TextTokenizer,
  sequences: readonly (readonly number[])[],
  skipSpecial: boolean,
): string[] =>
  sequences.map((ids, index) => {
    try {
      return tokenizer.decode(ids, skipSpecial);
    } catch (error) {
      throw new CarpoolError('INVALID_REQUEST', `ids[${index}]: ${messageOf(error)}`, { cause: error });
    }
  });
