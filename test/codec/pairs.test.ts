import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeTexts } from '../../src/codec/encode.js';
import { encodedOf, factsOf, joinEncoded } from '../../src/codec/encoded-texts.js';
import { openTokenizer } from '../../src/codec/tokenizer.js';
import { pairRooms } from '../../src/codec/truncate.js';
import { byteLevelJson, spamTokenizerJson, spamWith, thrownBy } from './fixtures.js';

const spam = openTokenizer(spamTokenizerJson());
const wants = { ids: true, offsets: true };

describe('pairs', () => {
  it('have segment ids, which single texts beside them get too', () => {
    const all = encodeTexts(spam, ['one', ['one', 'two']], { maxTokens: 16, truncate: true });
    const [cls, one, sep] = spam.encode('one').ids;
    const [, two] = spam.encode('two').ids;
    expect([...all.ids]).toEqual([cls, one, sep, cls, one, sep, two, sep]);
    expect([...all.typeIds!]).toEqual([0, 0, 0, 0, 0, 0, 1, 1]);
    expect(encodeTexts(spam, ['one'], { maxTokens: 16, truncate: true }).typeIds).toBeUndefined();
  });

  it('get them from a slice that has pairs when another has none', () => {
    const options = { maxTokens: 16, truncate: true };
    const slices = [encodeTexts(spam, ['one'], options), encodeTexts(spam, [['one', 'two']], options)];
    expect(joinEncoded(slices)).toEqual(encodeTexts(spam, ['one', ['one', 'two']], options));
  });

  it('lose the longer text first, as `tokenizers` does', () => {
    const rooms = fc.nat(40);
    fc.assert(
      fc.property(rooms, rooms, rooms, (first, second, room) => {
        const [a, b] = pairRooms(first, second, room);
        expect(a + b).toBe(Math.min(first + second, room));
        expect(a <= first && b <= second).toBe(true);
        // The shorter one is cut only where both must be: then to halves.
        const [kept, whole, other] = first <= second ? [a, first, b] : [b, second, a];
        if (kept < whole) expect(other - kept).toBe(room % 2);
      }),
    );
  });

  it('need a template', () => {
    const single = [{ Sequence: { id: 'A', type_id: 0 } }];
    const bare = openTokenizer(
      spamWith({ post_processor: { type: 'TemplateProcessing', single, pair: [] } }),
    );
    const error = thrownBy(() => encodeTexts(bare, [['a', 'b']], { maxTokens: 9, truncate: true }));
    expect(error.code).toBe('INVALID_REQUEST');
    expect(error.message).toMatch(/^texts\[0\]: .*no template for pairs/);
  });

  it('of RoBERTa have no segment ids and two separators', () => {
    const roberta = openTokenizer(byteLevelJson());
    const { ids, typeIds } = roberta.encode(['a', 'b']);
    expect([ids.length, ids.filter((id) => id === 2).length, typeIds]).toEqual([6, 3, undefined]);
  });
});

describe('windows', () => {
  const text = Array.from({ length: 20 }, (_, i) => `w${i}`).join(' ');
  const whole = spam.encode(text).ids.slice(1, -1);

  it('cover the text, share the stride, and know their text', () => {
    const options = { maxTokens: 10, truncate: true, window: { stride: 3 }, wants };
    const facts = factsOf(encodeTexts(spam, ['a', text], { ...options, firstIndex: 7 }));
    expect(facts.map(({ source }) => source)).toEqual([7, ...facts.slice(1).map(() => 8)]);
    const rebuilt: number[] = [];
    for (const [i, { ids, tokens }] of facts.slice(1).entries()) {
      expect(tokens).toBeLessThanOrEqual(10);
      const body = [...ids!].slice(1, -1);
      if (i > 0) expect(body.slice(0, 3)).toEqual(rebuilt.slice(-3));
      rebuilt.push(...body.slice(i === 0 ? 0 : 3));
    }
    expect(rebuilt).toEqual(whole);
  });

  it('need room beside what they share', () => {
    const encode = (stride: number): unknown =>
      encodeTexts(spam, [text], { maxTokens: 10, truncate: true, window: { stride } });
    expect(encode(7)).toBeDefined();
    expect(thrownBy(() => encode(8))).toEqual({
      code: 'INVALID_REQUEST',
      message: 'window.stride: expected less than the 8 tokens of a window, got 8',
    });
  });
});

describe('what is told of texts', () => {
  it('survives being packed, with or without ids, offsets and sources', () => {
    for (const extra of [{}, { wants: { ids: true } }, { wants }, { window: { stride: 1 }, wants }]) {
      const facts = factsOf(
        encodeTexts(spam, ['one two', 'three'], { maxTokens: 4, truncate: true, ...extra }),
      );
      expect(factsOf(encodedOf(facts))).toEqual(facts);
    }
    const pairs = factsOf(encodeTexts(spam, [['a', 'b'], 'c'], { maxTokens: 9, truncate: true, wants }));
    expect(factsOf(encodedOf(pairs))).toEqual(pairs);
    expect([...pairs[0]!.ofPair!]).toEqual([0, 0, 0, 1, 0]);
  });

  it('turns ids into text again', () => {
    const { ids } = spam.encode('hello there');
    expect(spam.decode(ids, true)).toBe('hello there');
    expect(spam.decode(ids, false)).toContain('[CLS]');
    expect(spam.decode([], true)).toBe('');
    expect(() => spam.decode([1_000_000], true)).toThrow('no token has the id 1000000');
  });
});
