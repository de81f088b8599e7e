import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { goldenOf, REFERENCE_MODELS } from '../reference/golden.js';
import { startGateway, type Running } from '../support/start-gateway.js';
import { post, refusal } from './tei-calls.js';

let spam: Running;
let all: Running;
beforeAll(async () => {
  spam = await startGateway();
  const load = ['roberta-multi'];
  all = await startGateway({ models: { root: REFERENCE_MODELS, load }, server: { maxRequestRows: 64 } });
});
afterAll(() => Promise.all([spam.close(), all.close()]));

describe('/tokenize and /decode', () => {
  const { cases } = goldenOf('roberta-multi');
  const texts = cases.filter(({ pair }) => pair === undefined).map(({ text }) => text);
  const ids = cases.filter(({ pair }) => pair === undefined).map((each) => each.ids);
  interface Token {
    readonly id: number;
    readonly text: string;
    readonly special: boolean;
    readonly start: number | null;
    readonly stop: number | null;
  }

  it('give the ids of the reference, with the piece of the text that each stands for', async () => {
    const lists = (await post(all, '/tokenize', { model: 'roberta-multi', inputs: texts })) as Token[][];
    expect(lists.map((tokens) => tokens.map(({ id }) => id))).toEqual(ids);
    for (const [i, tokens] of lists.entries())
      for (const { text, special, start, stop } of tokens) {
        const bytes = Buffer.from(texts[i]!);
        // A token may end within a character: then it stands for the whole of it.
        if (special) expect([start, stop]).toEqual([null, null]);
        else expect(bytes.subarray(start!, stop!).toString()).toBe(text);
      }
    const bare = (await post(all, '/tokenize', { model: 'roberta-multi', inputs: texts[0], add_special_tokens: false })) as Token[][]; // prettier-ignore
    expect(bare[0]!.map(({ id }) => id)).toEqual(ids[0]!.slice(1, -1));
  });

  it('make texts of ids again', async () => {
    const short = cases.filter(({ pair }) => pair === undefined).slice(0, 20);
    const body = { model: 'roberta-multi', ids: short.map((each) => each.ids) };
    expect(await post(all, '/decode', body)).toEqual(short.map(({ decoded }) => decoded));
    const whole = await post(all, '/decode', { ...body, ids: short[0]!.ids, skip_special_tokens: false });
    expect(whole).toEqual([`<s>${short[0]!.decoded}</s>`]);
    expect((await refusal(all, '/decode', { ...body, ids: [1e6] }))[0]).toBe(422);
  });

  it('say so of a text large enough for the codec thread', async () => {
    const inputs = 'free prize, call now! '.repeat(10_000);
    const [tokens] = (await post(spam, '/tokenize', { inputs })) as Token[][];
    const last = tokens!.at(-2)!;
    expect(last).toMatchObject({ text: '!', start: inputs.length - 2, stop: inputs.length - 1 });
    const text = await post(spam, '/decode', { ids: tokens!.map(({ id }) => id) });
    expect((text as string[])[0]).toHaveLength(inputs.trim().length);
  });
});

it.each([
  ['/embed', { inputs: 'a' }, 424, 'Backend'],
  ['/rerank', { query: 'a', texts: ['b'] }, 424, 'Backend'],
  ['/embed', { inputs: [] }, 400, 'Empty'],
  ['/rerank', { query: 'a', texts: [] }, 400, 'Empty'],
  ['/similarity', { inputs: { source_sentence: 'a', sentences: [] } }, 400, 'Empty'],
  ['/predict', { inputs: [] }, 400, 'Empty'],
  ['/predict', { inputs: [['a'], []] }, 400, 'Empty'],
  ['/predict', { inputs: 7 }, 422, 'Validation'],
  ['/predict', { inputs: 'a', model: 'fraud_detector' }, 422, 'Validation'],
  ['/predict', { inputs: 'a', model: 'none' }, 424, 'Backend'],
  ['/predict', { inputs: 'a', truncation_direction: 'up' }, 422, 'Validation'],
  ['/embed', { inputs: 'a', prompt_name: 'query' }, 422, 'Validation'],
  ['/embed', { inputs: ['a', 1] }, 422, 'Validation'],
  ['/tokenize', { inputs: 1 }, 422, 'Validation'],
  ['/decode', { ids: ['a'] }, 422, 'Validation'],
  ['/predict', '{"inputs": "a"', 422, 'Validation'],
  ['/embed', [], 422, 'Validation'],
])('%s of %j is refused in the words of TEI', async (path, body, status, type) => {
  const [got, reply] = await refusal(spam, path, body);
  expect([got, reply]).toEqual([status, { error: expect.any(String), error_type: type }]);
});

it('more texts than the limit are refused', async () => {
  const [status, reply] = await refusal(all, '/tokenize', { inputs: Array(65).fill('a') });
  expect([status, reply]).toEqual([413, { error: expect.stringContaining('at most 64'), error_type: 'Validation' }]); // prettier-ignore
});

it('a text or a sequence that would keep the codec thread for long is refused', async () => {
  const model = 'roberta-multi';
  const long = 524_289;
  const inputs = ['a', 'a'.repeat(long)];
  const answers = [
    await refusal(all, '/tokenize', { model, inputs }),
    await refusal(all, '/decode', { model, ids: Array(long).fill(5) }),
  ];
  expect(answers).toEqual([
    [413, { error: `inputs[1]: expected at most 524288 characters, got ${long}`, error_type: 'Validation' }],
    [413, { error: `ids[0]: expected at most 524288 ids, got ${long}`, error_type: 'Validation' }],
  ]);
});

it('names the sequence of an unknown id, also of one far behind', async () => {
  const ids = [...Array.from({ length: 60 }, () => Array<number>(200).fill(5)), [1e6]];
  const [status, reply] = await refusal(all, '/decode', { model: 'roberta-multi', ids });
  expect([status, reply]).toEqual([422, { error: 'ids[60]: no token has the id 1000000', error_type: 'Validation' }]); // prettier-ignore
});

it('large requests, which are worked on slice by slice, are answered in order', async () => {
  const inputs = Array.from({ length: 300 }, (_, i) => `call ${i} now `.repeat(20));
  const lists = (await post(spam, '/tokenize', { inputs })) as { id: number }[][];
  expect(lists).toHaveLength(300);
  for (const i of [0, 150, 299])
    expect([lists[i]]).toEqual(await post(spam, '/tokenize', { inputs: inputs[i] }));
  const ids = lists.map((tokens) => tokens.map(({ id }) => id));
  const texts = (await post(spam, '/decode', { ids })) as string[];
  expect(texts).toHaveLength(300);
  for (const i of [0, 150, 299]) expect([texts[i]]).toEqual(await post(spam, '/decode', { ids: ids[i] }));
});
