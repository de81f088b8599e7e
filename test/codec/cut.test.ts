import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cutPosition, cutRuleOf } from '../../src/codec/cut.js';
import type { CutRule } from '../../src/codec/cut.js';
import { readTokenizerFile } from '../../src/codec/tokenizer-file.js';
import { openTokenizer } from '../../src/codec/tokenizer.js';
import { byteLevelJson, filled, spamTokenizerJson, spamWith, unigramJson } from './fixtures.js';

const ruleOf = (json: string): CutRule | undefined => cutRuleOf(readTokenizerFile(json));
const MAX_TOKENS = 6;

/** Words long enough that cuts are tried, with all that may look across one: spaces, marks, sigmas, Han, controls. */
const texts = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ' ',
        '  ',
        '\n',
        '\t ',
        '\u00a0',
        ' \u00a0 ',
        '\u0085',
        '\u3000',
        '\u0308',
        ' \u0308',
        '\0',
        '\u200b',
      ),
      fc.constantFrom(
        'Σ',
        'ΑΣ',
        "'s",
        '.',
        'ﬃ',
        'é',
        '[SEP]',
        '你',
        '好',
        '😀',
        '\ud800',
        '가',
        '¨',
        '～',
        '1234',
      ),
      fc.string({ unit: fc.constantFrom(...Array.from('abcdefgh')), minLength: 1, maxLength: 30 }),
    ),
    { minLength: 10, maxLength: 60 },
  )
  .map((parts) => parts.join(''));

describe('cutting a text before it is tokenised', () => {
  it.each([
    ['BERT', spamTokenizerJson()],
    [
      'BERT, cased',
      spamWith({
        normalizer: {
          type: 'BertNormalizer',
          clean_text: true,
          handle_chinese_chars: false,
          lowercase: false,
        },
      }),
    ],
    [
      'NFKC and lower case',
      spamWith({ normalizer: { type: 'Sequence', normalizers: [{ type: 'NFKC' }, { type: 'Lowercase' }] } }),
    ],
    ['RoBERTa', byteLevelJson()],
    ['XLM-R', unigramJson()],
  ])('changes no id: %s', (_, json) => {
    expect(ruleOf(json)).toBeDefined();
    const tokenizer = openTokenizer(json);
    fc.assert(
      fc.property(texts, (text) => {
        const { prefix, suffix } = tokenizer.special;
        const { ids: whole } = tokenizer.encode(text);
        const isLong = whole.length > MAX_TOKENS;
        const kept = whole.slice(0, MAX_TOKENS - suffix.length);
        expect(prefix).toEqual(kept.slice(0, prefix.length));
        expect(tokenizer.encode(text, { maxTokens: MAX_TOKENS })).toEqual({
          ids: isLong ? [...kept, ...suffix] : whole,
          truncated: isLong,
        });
      }),
      { numRuns: 400 },
    );
  });

  it.each([
    [
      'a normalizer that may join words',
      spamWith({ normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '' } }),
    ],
    ['no pre-tokenizer', spamWith({ pre_tokenizer: null })],
    [
      'a pre-tokenizer that keeps spaces',
      spamWith({ pre_tokenizer: { type: 'Metaspace', replacement: '▁' } }),
    ],
    ['ByteLevel without its pattern', spamWith({ pre_tokenizer: { type: 'ByteLevel', use_regex: false } })],
    ['an added token with a space', spamWith({ added_tokens: [{ id: 5, content: 'New York' }] })],
    ['an added token in Han', spamWith({ added_tokens: [{ id: 5, content: '你好' }] })],
  ])('is left alone where it could: %s', (_, json) => {
    expect(ruleOf(json)).toBeUndefined();
  });

  it.each([
    ['behind a word', 'hello brave world', 3, 5],
    ['at the place itself', 'hello brave world', 4, 5],
    ['nowhere', 'hello', 2, 5],
    ['not between two spaces', 'a   b c', 1, 5],
    ['not behind a no-break space', 'a\u00a0 b c', 0, 4],
    ['behind a surrogate pair', 'ab😀 c', 1, 4],
    ['before Han', '你好世界', 1, 2],
  ])('cuts %s', (_, text, from, position) => {
    const rule = ruleOf(spamTokenizerJson());
    expect(rule && cutPosition(rule, text, from)).toBe(position);
  });

  it('does not cut before Han where that is part of a word', () => {
    const rule = ruleOf(unigramJson());
    expect(rule && cutPosition(rule, '你好世界 好', 1)).toBe(4);
  });

  it('makes a huge text as cheap as its beginning', () => {
    // All 2 MB each time would take minutes.
    const tokenizer = openTokenizer(spamTokenizerJson());
    const text = filled('please send the report ', 2_000_000);
    for (let i = 0; i < 500; i++) expect(tokenizer.encode(text, { maxTokens: 8 }).truncated).toBe(true);
  });
});
