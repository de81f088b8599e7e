import { CarpoolError, messageOf } from '../errors.js';
import type { IdsInput } from '../infer.js';
import type { TextTokenizer } from './tokenizer.js';

export interface DecodeOptions {
  /** Leaves special tokens out. */
  readonly skipSpecial: boolean;
  /** Position of the first sequence in its request, for messages. Default 0. */
  readonly firstIndex?: number;
}

/** @throws CarpoolError INVALID_REQUEST naming the sequence with an id that is not in the vocabulary */
export const decodeAll = (
  tokenizer: TextTokenizer,
  { ids, lengths }: Pick<IdsInput, 'ids' | 'lengths'>,
  { skipSpecial, firstIndex = 0 }: DecodeOptions,
): string[] => {
  let at = 0;
  return Array.from(lengths, (length, index) => {
    const sequence = [...ids.subarray(at, (at += length))];
    try {
      return tokenizer.decode(sequence, skipSpecial);
    } catch (error) {
      throw new CarpoolError('INVALID_REQUEST', `ids[${firstIndex + index}]: ${messageOf(error)}`, {
        cause: error,
      });
    }
  });
};
