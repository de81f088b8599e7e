import { describe, expect, it } from '@jest/globals';
import { encodeTexts } from '../../src/codec/encode.js';
import { joinEncoded } from '../../src/codec/encoded-texts.js';
import { openTokenizer } from '../../src/codec/tokenizer.js';
import { filled, spamGolden, spamTokenizerJson, spamWith, thrownBy } from './fixtures.js';

const spam = openTokenizer(spamTokenizerJson());
const { cases, max_length: maxTokens } = spamGolden();
const texts = cases.map(({ text }) => text);

describe('encodeTexts', () => {
  it('lays the golden texts out one after the other', () => {
    const encoded = encodeTexts(spam, texts, { maxTokens, truncate: true });
    expect(Array.from(encoded.lengths)).toEqual(cases.map((golden) => golden.truncated_ids_len));
    expect(Array.from(encoded.truncated)).toEqual(
      cases.map(({ token_ids }) => (token_ids.length > maxTokens ? 1 : 0)),
    );
    expect(Array.from(encoded.ids)).toEqual(
      cases.flatMap(({ token_ids }) =>
        token_ids.length > maxTokens ? [...token_ids.slice(0, maxTokens - 1), 3] : token_ids,
      ),
    );
  });

  it('takes no texts', () => {
    const { ids, lengths, truncated } = encodeTexts(spam, [], { maxTokens, truncate: true });
    expect([ids.length, lengths.length, truncated.length]).toEqual([0, 0, 0]);
  });

  it('refuses a text that is too long when it may not cut it, naming it', () => {
    const long = filled('word ', 5 * 810).trimEnd();
    const options = { maxTokens: 128, truncate: false };
    expect(thrownBy(() => encodeTexts(spam, ['a', 'b', 'c', long], options))).toEqual({
      code: 'INPUT_TOO_LONG',
      message: 'texts[3]: 812 tokens, expected at most 128 (set "truncate": true to cut it)',
    });
    expect(thrownBy(() => encodeTexts(spam, [long], { ...options, firstIndex: 40 })).message).toMatch(
      /^texts\[40\]: 812 tokens/,
    );
  });

  it('takes a text of just the longest length', () => {
    const options = { maxTokens: 12, truncate: false };
    expect(Array.from(encodeTexts(spam, [filled('word ', 50)], options).lengths)).toEqual([12]);
    expect(thrownBy(() => encodeTexts(spam, [filled('word ', 55)], options)).code).toBe('INPUT_TOO_LONG');
  });

  it('names the text that the tokenizer cannot take', () => {
    const model = { type: 'BPE', vocab: { a: 0 }, merges: [], byte_fallback: false, unk_token: '?' };
    const bare = { model, normalizer: null, pre_tokenizer: null, post_processor: null, added_tokens: [] };
    const tokenizer = openTokenizer(spamWith(bare));
    const error = thrownBy(() => encodeTexts(tokenizer, ['a', 'b'], { maxTokens: 8, truncate: true }));
    expect(error.code).toBe('INVALID_REQUEST');
    expect(error.message).toMatch(/^texts\[1\]: .*not in the vocabulary/);
  });

  it('joins slices to what one call gives', () => {
    const options = { maxTokens, truncate: true };
    const slices = [texts.slice(0, 10), texts.slice(10, 11), [], texts.slice(11)];
    const joined = joinEncoded(slices.map((slice) => encodeTexts(spam, slice, options)));
    expect(joined).toEqual(encodeTexts(spam, texts, options));
  });
});
