import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { newLibraryTokenizer } from '../../src/codec/library.js';
import type { LibraryModel } from '../../src/codec/library.js';
import { readTokenizerFile } from '../../src/codec/tokenizer-file.js';
import { openTokenizer } from '../../src/codec/tokenizer.js';
import { boundWordPiece } from '../../src/codec/wordpiece.js';
import { filled, spamTokenizerJson, spamWith } from './fixtures.js';

/** The library alone, with its own slow WordPiece. */
const libraryIds = (json: string): ((text: string) => unknown[]) => {
  const library = newLibraryTokenizer(readTokenizerFile(json), {});
  return (text) => library.encode(text, { add_special_tokens: true }).ids;
};

/** A vocabulary whose pieces nest, lie outside the basic plane, and hold the prefix as text. */
const nested = spamWith({
  added_tokens: [],
  post_processor: null,
  normalizer: null,
  pre_tokenizer: { type: 'WhitespaceSplit' },
  model: {
    type: 'WordPiece',
    unk_token: '?',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 12,
    vocab: Object.fromEntries(
      [
        '?',
        'a',
        'ab',
        'abc',
        'abcab',
        '##',
        '###',
        '##a',
        '##b',
        '##bc',
        '##cabc',
        '##😀',
        '😀',
        '##😀a',
        // Halves of a pair: never matched inside one.
        '\ud83d',
        '##\ud83d',
        '##\ude01',
        '#',
      ].map((piece, id) => [piece, id]),
    ),
  },
});

describe('bounded WordPiece', () => {
  const cases: [string, string, fc.Arbitrary<string>][] = [
    [
      'nested pieces',
      nested,
      fc.string({ unit: fc.constantFrom('a', 'b', 'c', '😀', '😁', '#', '\ud83d', ' '), maxLength: 40 }),
    ],
    ['any text', spamTokenizerJson(), fc.string({ unit: 'binary', maxLength: 60 })],
    [
      'letters',
      spamTokenizerJson(),
      fc.string({ unit: fc.constantFrom(...Array.from('abcdeinost é.'), 'ing', 'the'), maxLength: 60 }),
    ],
  ];

  it.each(cases)('gives the ids of the library: %s', (_, json, texts) => {
    const bounded = openTokenizer(json);
    const expected = libraryIds(json);
    fc.assert(
      fc.property(texts, (text) => {
        expect(bounded.encode(text).ids).toEqual(expected(text));
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['longest word', 'a'.repeat(100)],
    ['word that is too long', 'a'.repeat(101)],
    ['longest word of pairs', '😀'.repeat(100)],
    ['junk', filled('qxzjqvwkxj', 99)],
    ['known but for its end', `${'a'.repeat(40)}ж`],
  ])('agrees at the limits: %s', (_, text) => {
    expect(openTokenizer(spamTokenizerJson()).encode(text).ids).toEqual(
      libraryIds(spamTokenizerJson())(text),
    );
  });

  it('looks no further than the longest piece', () => {
    let lookups = 0;
    class CountingMap extends Map<string, number> {
      override has(piece: string): boolean {
        lookups++;
        return super.has(piece);
      }
    }
    const vocabulary = new CountingMap(['?', 'a', '##a', '##aaa', 'b'].map((piece, id) => [piece, id]));
    const model: Pick<LibraryModel, 'tokens_to_ids' | 'encode'> = {
      tokens_to_ids: vocabulary,
      encode: () => [],
    };
    boundWordPiece(model, {
      type: 'WordPiece',
      unk_token: '?',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
    });
    expect(model.encode(['a'.repeat(100), 'b'])).toEqual(['a', ...Array<string>(33).fill('##aaa'), 'b']);
    // Every end of the word tried from the far one down: 1,700.
    expect(lookups).toBeLessThan(110);
  });
});
