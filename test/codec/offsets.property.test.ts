import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { openTokenizer, type TextTokenizer } from '../../src/codec/tokenizer.js';
import { TEXT_MODELS, tokenizerOf } from '../reference/golden.js';
import { byteLevelJson, spamTokenizerJson, unigramJson } from './fixtures.js';

/** What normalisers and splitters treat differently; mixed with anything at all. */
const PIECES = [
  ...['a', 'Berlin', 'ing', 'ÀÉ', 'e\u0301', 'İ', 'ß', 'Σ', 'ﬁ', '½', 'Å', '한국', '한', '漢字', 'ｶﾞ'],
  ...[' ', '  ', '\t', '\n', '\u00a0', '\u200b', '\u200d', '\u00ad', '\u0000', '.', '!?', "'s", '-', '12'],
  ...['😀', '👩‍👩‍👧', '🇩🇪', '𝒜', '\ud83d', '\ude00', '[SEP]', '[MASK]', '<s>', '</s>', '<mask>', '▁', 'Ġ', '##'],
];
const texts = fc
  .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'binary', maxLength: 4 })), { maxLength: 12 })
  .map((parts) => parts.join(''));

const TOKENIZERS: readonly (readonly [name: string, tokenizer: TextTokenizer])[] = [
  ['spam', openTokenizer(spamTokenizerJson())],
  ['byte-level', openTokenizer(byteLevelJson())],
  ['unigram', openTokenizer(unigramJson())],
  ...TEXT_MODELS.map((model) => [model, tokenizerOf(model)] as const),
];

describe.each(TOKENIZERS)('%s', (_, tokenizer) => {
  it('gives the ids that it gives without offsets', () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(tokenizer.encode(text, { wants: { offsets: true } }).ids).toEqual(tokenizer.encode(text).ids);
      }),
    );
  });

  it('places tokens in the text, in order, and cuts no character', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const { ids, offsets = [], special = [] } = tokenizer.encode(text, { wants: { offsets: true } });
        expect([offsets.length, special.length]).toEqual([2 * ids.length, ids.length]);
        let before = 0;
        for (const [i] of ids.entries()) {
          if (special[i] === 1) continue;
          const start = offsets[2 * i] ?? NaN;
          const end = offsets[2 * i + 1] ?? NaN;
          // A space put before a stretch is trimmed off what follows it, be that a surrogate pair, as `tokenizers` does.
          expect(start).toBeGreaterThanOrEqual(before - 2);
          expect(end).toBeGreaterThanOrEqual(start);
          expect(end).toBeLessThanOrEqual(text.length);
          expect(cuts(text, start) || cuts(text, end)).toBe(false);
          before = start;
        }
      }),
    );
  });
});

const cuts = (text: string, at: number): boolean => at > 0 && (text.codePointAt(at - 1) ?? 0) > 0xffff;
