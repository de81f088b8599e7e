import { describe, expect, it } from '@jest/globals';
import { openTokenizer } from '../../src/codec/tokenizer.js';
import { byteLevelJson, spamGolden, spamTokenizerJson, spamWith, thrownBy, unigramJson } from './fixtures.js';

const SEP = 3;
const spam = openTokenizer(spamTokenizerJson());
const golden = spamGolden();
const numbered = golden.cases.map((each, index) => [index, each] as const);

describe('golden ids', () => {
  it('has the cases to compare with', () => {
    expect(golden.cases).toHaveLength(47);
    expect(golden.cases.some(({ token_ids }) => token_ids.length > golden.max_length)).toBe(true);
  });

  it.each(numbered)('whole: case %i', (_, { text, token_ids }) => {
    expect(spam.encode(text)).toEqual({ ids: token_ids, truncated: false });
  });

  it.each(numbered)('truncated: case %i', (_, { text, token_ids, truncated_ids_len }) => {
    const cut = spam.encode(text, { maxTokens: golden.max_length });
    const isLong = token_ids.length > golden.max_length;
    expect(cut.truncated).toBe(isLong);
    expect(cut.ids).toHaveLength(truncated_ids_len);
    expect(cut.ids.at(-1)).toBe(SEP);
    expect(cut.ids).toEqual(isLong ? [...token_ids.slice(0, golden.max_length - 1), SEP] : token_ids);
  });
});

describe('truncation', () => {
  it('keeps the end of a text when the left side is cut', () => {
    const { ids } = spam.encode('one two three four');
    const left = spam.encode('one two three four', { maxTokens: 4, side: 'left' });
    expect(left).toEqual({ ids: [2, ...ids.slice(-3)], truncated: true });
  });

  it.each([0, 1, 2])('leaves only the special tokens when maxTokens is %i', (maxTokens) => {
    expect(spam.encode('one two', { maxTokens })).toEqual({ ids: [2, 3], truncated: true });
  });

  it('does not call an empty text cut', () => {
    expect(spam.encode('', { maxTokens: 2 })).toEqual({ ids: [2, 3], truncated: false });
  });
});

describe('special tokens and padding', () => {
  const template = (...single: object[]): object => ({ type: 'TemplateProcessing', single, pair: [] });
  const special = (id: string): object => ({ SpecialToken: { id, type_id: 0 } });
  const text = { Sequence: { id: 'A', type_id: 0 } };

  it.each([
    ['BERT', spamTokenizerJson(), [2], [3]],
    ['RoBERTa', byteLevelJson(), [0], [2]],
    ['none', unigramJson(), [], []],
    [
      'several',
      spamWith({ post_processor: template(special('[CLS]'), special('[MASK]'), text) }),
      [2, 4],
      [],
    ],
    ['behind only', spamWith({ post_processor: template(text, special('[SEP]')) }), [], [3]],
    [
      'in a sequence',
      spamWith({
        post_processor: {
          type: 'Sequence',
          processors: [
            { type: 'ByteLevel' },
            { type: 'BertProcessing', cls: ['[CLS]', 2], sep: ['[SEP]', 3] },
          ],
        },
      }),
      [2],
      [3],
    ],
  ])('finds them: %s', (_, json, prefix, suffix) => {
    const tokenizer = openTokenizer(json);
    expect(tokenizer.special).toEqual({ prefix, suffix });
    // The template's own words as text must not be taken for the template.
    const { ids } = tokenizer.encode('a b');
    expect(ids.slice(0, prefix.length)).toEqual(prefix);
    expect(ids.slice(ids.length - suffix.length)).toEqual(suffix);
  });

  it.each([
    ['padding.pad_id', spamWith({ padding: { pad_id: 7 } }), undefined, 7],
    ['pad_token of tokenizer_config.json', spamTokenizerJson(), '{"pad_token":"[MASK]"}', 4],
    ['pad_token as an object', spamTokenizerJson(), '{"pad_token":{"content":"[SEP]"}}', 3],
    ['pad_token that is not in the vocabulary', spamTokenizerJson(), '{"pad_token":"<nothing>"}', 0],
    ['[PAD]', spamTokenizerJson(), undefined, 0],
    ['<pad>', byteLevelJson(), undefined, 1],
    ['nothing', unigramJson(), undefined, 0],
  ])('pads with %s', (_, json, config, padId) => {
    expect(openTokenizer(json, config).padId).toBe(padId);
  });
});

describe('odd texts', () => {
  it.each([
    ['lone high surrogate', '\ud800'],
    ['lone low surrogate', 'a\udc00b'],
    ['NUL', 'a\0b'],
    ['only NUL', '\0'],
    ['reversed pair', '\udc00\ud800'],
    ['long word', 'a'.repeat(200_000)],
    ['long word of emoji', '😀'.repeat(50_000)],
    ['special tokens as text', '[CLS][SEP][PAD]'],
    ['control characters', '\u0001\u200b\ufeff\u2028'],
  ])('are encoded: %s', (_, text) => {
    for (const json of [spamTokenizerJson(), byteLevelJson()]) {
      const { ids } = openTokenizer(json).encode(text, { maxTokens: 16 });
      expect(ids.length).toBeLessThanOrEqual(16);
      expect(ids.every((id) => Number.isInteger(id))).toBe(true);
    }
  });
});

describe('files that cannot be opened', () => {
  it.each([
    ['not JSON', '{', /^tokenizer\.json: not valid JSON/],
    ['another type', '[]', /^tokenizer\.json: .*expected object/],
    ['no model', '{}', /^tokenizer\.json at model: /],
    [
      'no vocabulary',
      spamWith({ model: { type: 'WordPiece', unk_token: '[UNK]' } }),
      /at model\.vocab: expected a vocabulary/,
    ],
    ['unknown model', spamWith({ model: { type: 'Magic', vocab: null } }), /at model\.vocab/],
    ['unknown normalizer', spamWith({ normalizer: { type: 'Magic' } }), /Magic/],
    ['unknown pre-tokenizer', spamWith({ pre_tokenizer: { type: 'Magic' } }), /Magic/],
    ['broken added token', spamWith({ added_tokens: [{ id: 'x', content: 'y' }] }), /at added_tokens\.0\.id/],
    [
      'template without the text',
      spamWith({ post_processor: { type: 'TemplateProcessing', single: [], pair: [] } }),
      /the text once/,
    ],
    [
      'template with an unknown token',
      spamWith({ post_processor: { type: 'BertProcessing', cls: ['<x>', 1], sep: ['<y>', 2] } }),
      /"<x>", which is not in the vocabulary/,
    ],
    [
      'unknown token that is unknown',
      spamWith({
        model: {
          type: 'WordPiece',
          unk_token: '<none>',
          continuing_subword_prefix: '##',
          vocab: { '[CLS]': 2, '[SEP]': 3 },
        },
      }),
      /unk_token "<none>"/,
    ],
  ])('%s', (_, json, message) => {
    const error = thrownBy(() => openTokenizer(json));
    expect(error.code).toBe('MODEL_LOAD_FAILED');
    expect(error.message).toMatch(message);
  });

  it('names tokenizer_config.json', () => {
    expect(() => openTokenizer(spamTokenizerJson(), '{"pad_token": 3}')).toThrow(
      /^tokenizer_config\.json at pad_token: /,
    );
  });

  it('opens files that leave optional parts out', () => {
    const { model } = JSON.parse(spamTokenizerJson()) as { model: object };
    expect(openTokenizer(JSON.stringify({ model })).encode('hello').ids).toHaveLength(1);
  });
});
