import { request, type IncomingMessage } from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HttpClient, type Reply } from '../support/http-client.js';
import { REPO_ROOT, startGateway, until, type Running } from '../support/start-gateway.js';

/** Every task over HTTP, on folders without a card. What the numbers must be is held in test/reference. */
let running: Running;
beforeAll(async () => {
  running = await startGateway({
    models: { root: path.join(REPO_ROOT, 'test/reference/models') },
    batching: { maxBatch: 4 },
  });
});
afterAll(() => running.close());

const predict = (body: object): Promise<Reply> => running.client.post('/predict', body);
const answer = async (body: object): Promise<unknown> => JSON.parse((await predict(body)).text);
const refusal = async (body: object): Promise<string> => {
  const { status, body: reply } = await predict(body);
  return `${status} ${reply.error?.message ?? ''}`;
};
const LONG = Array.from({ length: 200 }, (_, i) => `word${i} Berlin`).join(' ');

describe('/predict', () => {
  it('is what the task of the model says', async () => {
    const texts = ['Ada Brown lives in Berlin 😀 Paris'];
    expect(await answer({ model: 'bert-single', texts, top_k: 2 })).toEqual({
      predictions: [{ label: 'neutral', confidence: expect.any(Number), scores: { neutral: expect.any(Number), negative: expect.any(Number) } }], // prettier-ignore
    });
    expect(await answer({ model: 'distilbert-regression', texts })).toEqual({
      predictions: [{ label: 'LABEL_0', confidence: expect.any(Number) }],
    });
    expect(await answer({ model: 'bert-rerank', query: 'who?', texts })).toEqual({
      predictions: [{ score: expect.any(Number) }],
    });
    expect(await answer({ model: 'st-mean', texts, dimensions: 2 })).toEqual({
      embeddings: [[expect.any(Number), expect.any(Number)]],
    });
    const { entities } = (await answer({ model: 'bert-ner', texts })) as { entities: { word: string }[][] };
    expect(entities[0]).toContainEqual({ entity_group: 'LOC', score: expect.any(Number), word: 'berlin 😀', start: 19, end: 27 }); // prettier-ignore
    expect(entities).toHaveLength(1);
  });

  it('tries labels of the request', async () => {
    const body = { model: 'deberta-nli', texts: ['I like trains', 'food'], candidate_labels: 'travel, food' };
    const { predictions } = (await answer(body)) as { predictions: { scores: Record<string, number> }[] };
    expect(predictions.map(({ scores }) => Object.keys(scores))).toEqual([['travel', 'food'], ['travel', 'food']]); // prettier-ignore
    for (const { scores } of predictions) expect(scores.travel! + scores.food!).toBeCloseTo(1, 2);
  });

  it('takes pairs in three ways', async () => {
    const model = 'bert-single';
    const ways = [{ pairs: [['a', 'b']] }, { texts: ['a'], text_pairs: ['b'] }, { query: 'a', texts: ['b'] }];
    const answers = await Promise.all(ways.map((way) => answer({ model, scores: true, ...way })));
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
    expect(await answer({ model, scores: true, texts: ['a'] })).not.toEqual(answers[0]);
  });

  it('shows tokens, in code points', async () => {
    const { predictions } = (await answer({
      model: 'bert-single',
      texts: ['😀 Hi'],
      return_tokens: true,
    })) as {
      predictions: { tokens: object[] }[];
    };
    expect(predictions[0]?.tokens.at(0)).toMatchObject({ token: '[CLS]', special: true });
    expect(predictions[0]?.tokens.at(-2)).toMatchObject({ token: expect.stringMatching(/i$/), end: 4 });
  });

  it('cuts at either end, or reads the whole text in windows', async () => {
    const ask = (more: object): Promise<unknown> => answer({ model: 'st-mean', texts: [LONG, 'a'], ...more });
    const right = (await ask({})) as object;
    expect(right).toMatchObject({ truncated: [true, false] });
    expect(await ask({ truncate_from: 'right' })).toEqual(right);
    expect(await ask({ truncate_from: 'left' })).not.toEqual(right);
    const whole = (await ask({ window: { stride: 8 } })) as { embeddings: number[][] };
    expect(whole).not.toHaveProperty('truncated');
    expect(whole.embeddings).toHaveLength(2);
    const last = (await answer({ model: 'bert-ner', texts: [LONG], window: { stride: 8 } })) as {
      entities: { start: number; end: number }[][];
    };
    expect(last.entities[0]?.at(-1)?.end).toBeGreaterThan(LONG.length - 20);
    expect(last.entities[0]?.every(({ start }, i, all) => start >= (all[i - 1]?.end ?? 0))).toBe(true);
  });

  it.each([
    [
      { model: 'bert-single', texts: ['a'], dimensions: 3 },
      '400 dimensions: means something for embedding only',
    ],
    [{ model: 'bert-single', texts: ['a'], candidate_labels: ['b'] }, '400 candidate_labels: expected a model with a label "entailment"'], // prettier-ignore
    [{ model: 'st-mean', texts: ['a'], dimensions: 33 }, '400 dimensions: expected at most 32'],
    [
      { model: 'st-mean', texts: ['a'], window: { stride: 46 } },
      '400 window.stride: expected less than the 46',
    ],
    [{ model: 'st-mean', texts: ['a'], window: 3 }, '400 window: expected {"stride": tokens}, got number 3'],
    [
      { model: 'bert-ner', texts: ['a'], aggregation: 'some' },
      '400 aggregation: expected one of none, simple',
    ],
    [
      { model: 'bert-single', pairs: [['a']] },
      '400 pairs[0]: expected a list of two strings, got a list of 1',
    ],
    [{ model: 'bert-single', texts: ['a'], text_pairs: [] }, '400 text_pairs: expected at least one string'],
    [{ model: 'bert-single', texts: [LONG], truncate: false }, '422 texts[0]: '],
  ])('refuses %j', async (body, message) => {
    expect(await refusal(body)).toContain(message);
  });

  it('of a model of tokens leaves the large outputs out, unless they are named', async () => {
    const infer = async (more: object): Promise<object> =>
      JSON.parse(
        (await running.client.post('/v1/models/st-mean/infer', { texts: ['a'], ...more })).text,
      ) as object;
    expect(Object.keys(await infer({}))).toEqual(['model_name', 'model_version', 'embeddings']);
    expect(await infer({ outputs: ['last_hidden_state'] })).toHaveProperty('outputs.last_hidden_state');
  });
});

describe('NDJSON', () => {
  const stream = (body: object): Promise<Reply> =>
    running.client.send({
      method: 'POST',
      path: '/predict',
      body,
      headers: { accept: 'application/x-ndjson' },
    });
  const linesOf = ({ text }: Reply): { index?: number; error?: { code: string } }[] =>
    text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as object]));

  it.each([
    ['bert-single', 'predictions', { scores: true }],
    ['st-max', 'embeddings', {}],
    ['bert-ner', 'entities', {}],
    ['deberta-nli', 'predictions', { candidate_labels: ['a', 'b', 'c'] }],
    ['bert-single', 'predictions', { window: { stride: 4 } }],
  ] as const)('%s: says of each text what one answer says of all (%s)', async (model, key, more) => {
    const texts = Array.from({ length: 30 }, (_, i) => `text ${i} of Berlin`).concat(LONG);
    const reply = await stream({ model, texts, ...more });
    expect([reply.status, reply.headers['content-type']]).toEqual([200, 'application/x-ndjson']);
    const lines = linesOf(reply).sort((a, b) => (a.index ?? 0) - (b.index ?? 0));
    expect(lines.map(({ index }) => index)).toEqual(texts.map((_, i) => i));
    const whole = (await answer({ model, texts, ...more })) as Record<string, unknown[]>;
    const one = { predictions: undefined, embeddings: 'embedding', entities: 'entities' }[key];
    // Lists of numbers and of entities have no place for an index beside them.
    const said = lines.map((line) =>
      one === undefined ? without(line, 'index') : (Reflect.get(line, one) as unknown),
    );
    expect(roughly(said)).toEqual(roughly(whole[key]));
  });

  it('answers an error as usual where nothing was said yet, and as the last line afterwards', async () => {
    const early = await stream({ model: 'bert-single', texts: [LONG], truncate: false });
    expect([early.status, early.body.error?.code]).toEqual([422, 'INPUT_TOO_LONG']);
    const texts = [...Array.from({ length: 40 }, (_, i) => `text ${i}`), LONG];
    const late = await stream({ model: 'bert-single', texts, truncate: false });
    const lines = linesOf(late);
    expect(late.status).toBe(200);
    expect(lines.at(-1)?.error?.code).toBe('INPUT_TOO_LONG');
    expect(lines.slice(0, -1).every(({ index }) => index !== undefined)).toBe(true);
    expect(lines.length).toBeGreaterThan(16);
  });

  it('waits for a client that does not read', async () => {
    // Some 4 KB a line: far more in all than the sockets of both ends hold.
    const texts = Array.from({ length: 9000 }, (_, i) => `${i} ${LONG.slice(0, 400)}`);
    const { hostname, port } = new URL(running.url);
    const rows = (): Promise<number> => running.client.metric('carpool_batch_rows_sum{model="bert-single"}');
    const rowsBefore = await rows();
    const body = JSON.stringify({ model: 'bert-single', texts, return_tokens: true, timeoutMs: 600_000 });
    const headers = { 'content-type': 'application/json', accept: 'application/x-ndjson' };
    const reply = await new Promise<IncomingMessage>((resolve, reject) => {
      const req = request({ hostname, port, path: '/predict', method: 'POST', headers }, resolve);
      req.on('error', reject);
      req.end(body);
    });
    let stoodAt = 0;
    let same = 0;
    await until(
      'the rows stand still',
      async () => {
        const now = (await rows()) - rowsBefore;
        same = now === stoodAt ? same + 1 : 0;
        stoodAt = now;
        return now > 0 && same > 300;
      },
      60_000,
    );
    expect(stoodAt).toBeLessThan(texts.length);
    // Goes on where it is read again.
    reply.resume();
    await until('rows are run again', async () => (await rows()) - rowsBefore > stoodAt, 60_000);
    reply.destroy();
  }, 120_000);

  it('goes on for the others when a client goes away', async () => {
    const client = new HttpClient(running.url);
    const gone = new AbortController();
    const texts = Array.from({ length: 2000 }, (_, i) => `text ${i}`);
    const lost = client.send({ method: 'POST', path: '/predict', body: { model: 'roberta-ner', texts }, headers: { accept: 'application/x-ndjson' }, signal: gone.signal }); // prettier-ignore
    await until('it runs', async () => (await running.client.metric('http_request_in_flight')) > 1);
    gone.abort();
    await expect(lost).rejects.toThrow();
    await until('it has ended', async () => (await running.client.metric('http_request_in_flight')) <= 1);
    expect((await predict({ model: 'roberta-ner', texts: ['a'] })).status).toBe(200);
    client.close();
  });
});

const without = (object: object, key: string): object =>
  Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));

/** Joined with other neighbours, the last digits may differ. */
const roughly = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, v: unknown) => (typeof v === 'number' ? Math.round(v * 500) / 500 : v)),
  );
