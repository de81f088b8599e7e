import { afterEach, describe, expect, it } from '@jest/globals';
import { encodeTexts } from '../../src/codec/encode.js';
import type { EncodedTexts } from '../../src/codec/encoded-texts.js';
import { openTokenizer } from '../../src/codec/tokenizer.js';
import { codeOf } from '../../src/errors.js';
import { Codecs } from './codecs.js';
import { byteLevelJson, filled, rejectionOf, spamGolden, spamTokenizerJson } from './fixtures.js';

const codecs = new Codecs();
afterEach(() => codecs.closeAll());

const CUT = { maxTokens: 128, truncate: true };
const plain = ({ ids, lengths, truncated }: EncodedTexts): object => ({
  ids: Array.from(ids),
  lengths: Array.from(lengths),
  truncated: Array.from(truncated),
});
const golden = spamGolden().cases.map(({ text }) => text);

describe('Codec.encode', () => {
  it('gives the same in both places', async () => {
    const { codec, thread } = await codecs.open();
    const tokenizer = openTokenizer(spamTokenizerJson());
    for (const text of golden)
      expect(plain(await codec.encode('m', [text], CUT))).toEqual(plain(encodeTexts(tokenizer, [text], CUT)));
    const jobsOfLongTexts = golden.filter((text) => text.length + 16 > 4_096).length;
    expect(thread.jobs).toHaveLength(jobsOfLongTexts);
    const many = Array.from({ length: 20 }, () => golden).flat();
    expect(plain(await codec.encode('m', many, CUT))).toEqual(plain(encodeTexts(tokenizer, many, CUT)));
    expect(thread.slices.slice(jobsOfLongTexts).flat()).toEqual(many);
    expect(thread.slices.length).toBeGreaterThan(jobsOfLongTexts + 5);
  });

  it.each<[string, string[], number]>([
    ['a sentence', ['hello world'], 0],
    ['no texts', [], 0],
    ['just small enough', [filled('word ', 4_080)], 0],
    ['one character more', [filled('word ', 4_081)], 1],
    ['1 MB in one text', [filled('word ', 1_000_000)], 1],
    [
      '10,000 short texts',
      Array<string>(10_000).fill('one two three four five six seven eight nine ten'),
      40,
    ],
    ['10,000 empty texts, which are not free', Array<string>(10_000).fill(''), 10],
    ['large texts one by one', [1, 2, 3].map(() => filled('word ', 20_000)), 3],
  ])('%s', async (_, texts, jobs) => {
    const { codec, thread } = await codecs.open();
    expect((await codec.encode('m', texts, CUT)).lengths).toHaveLength(texts.length);
    expect(thread.jobs).toEqual(Array<string>(jobs).fill('encode'));
    if (jobs > 0) expect(thread.slices.flat()).toEqual(texts);
  });

  it('keeps less for the event loop where the tokenizer is slower', async () => {
    const { codec, thread } = await codecs.open(byteLevelJson());
    await codec.encode('m', [filled('word ', 1_000)], CUT);
    expect(thread.jobs).toEqual([]);
    await codec.encode('m', [filled('word ', 1_020)], CUT);
    expect(thread.jobs).toEqual(['encode']);
  });

  it('opens a large tokenizer in the thread only', async () => {
    const { codec, thread } = await codecs.open(`${spamTokenizerJson()}${' '.repeat(1_000_000)}`);
    expect((await codec.encode('m', ['hello'], CUT)).lengths[0]).toBe(3);
    expect(thread.jobs).toEqual(['encode']);
  });

  it('names the text by its place in the request, whatever slice it is in', async () => {
    const { codec } = await codecs.open();
    const texts = Array<string>(3_000).fill('one two');
    texts[2_500] = filled('word ', 1_000);
    const refused = await rejectionOf(codec.encode('m', texts, { maxTokens: 128, truncate: false }));
    expect(refused.code).toBe('INPUT_TOO_LONG');
    expect(refused.message).toMatch(/^texts\[2500\]: 202 tokens, expected at most 128/);
  });

  it('lets two large requests take turns', async () => {
    const { codec, thread } = await codecs.open();
    const requests = ['a', 'b'].map((text) => codec.encode('m', Array<string>(5_000).fill(text), CUT));
    await Promise.all(requests);
    const turns = thread.slices.map(([first]) => first).join('');
    expect(turns).toMatch(/^(ab){5,}$/);
  });

  it('stops when the caller goes', async () => {
    const { codec, thread } = await codecs.open();
    const controller = new AbortController();
    thread.onJob = () => thread.jobs.length === 3 && controller.abort();
    const texts = Array<string>(10_000).fill('one two three');
    const gone = codec.encode('m', texts, { ...CUT, signal: controller.signal });
    expect((await rejectionOf(gone)).code).toBe('CLIENT_GONE');
    expect(thread.jobs).toHaveLength(3);
  });

  it('is refused once the tokenizer is closed', async () => {
    const { codec } = await codecs.open();
    await codec.closeTokenizer('m');
    await codec.closeTokenizer('m');
    for (const text of ['short', filled('long ', 10_000)])
      expect((await rejectionOf(codec.encode('m', [text], CUT))).code).toBe('MODEL_UNAVAILABLE');
  });

  it('refuses a broken tokenizer', async () => {
    const { codec } = await codecs.open();
    expect((await rejectionOf(codec.openTokenizer('x', { json: '{}' }))).code).toBe('MODEL_LOAD_FAILED');
  });
});

describe('Codec.close', () => {
  it('ends the thread and refuses what needs it', async () => {
    const { codec } = await codecs.open();
    const underWay = codec.encode('m', [filled('word ', 1_000_000)], { maxTokens: 1e9, truncate: true });
    const outcome = underWay.catch(codeOf);
    await codec.close();
    expect(await outcome).toBe('DRAINING');
  });
});
