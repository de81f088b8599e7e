import { copyFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { GrpcClient } from '../support/grpc-client.js';
import type { HttpClient, Reply } from '../support/http-client.js';
import {
  startGateway,
  tempModelRoot,
  until,
  type Running,
  type TempFolder,
} from '../support/start-gateway.js';
import { FRAUD_CASES, SPAM_CASES } from './golden.js';

let root: TempFolder;
let running: Running;
let client: HttpClient;

beforeAll(async () => {
  root = await tempModelRoot();
  running = await startGateway({
    cache: { enabled: true },
    grpc: { enabled: true, port: 0 },
    models: { root: root.path, load: ['spam', 'fraud_detector'], plain: { cache: { enabled: false } } },
  });
  ({ client } = running);
});
afterAll(async () => {
  await running.close();
  await root.remove();
});

const said = ({ headers }: Reply): unknown => headers['x-carpool-cache'];
const predict = (texts: readonly string[], headers = {}): Promise<Reply> =>
  client.send({ method: 'POST', path: '/predict', body: { model: 'spam', texts }, headers });
/** Texts that no other test asks for. */
let asked = 0;
const fresh = (count = 1): string[] => Array.from({ length: count }, () => `a cheap offer number ${asked++}`);
const runs = (): Promise<number> => client.metric('carpool_run_seconds_count{model="spam"}');

describe('a model whose answers are kept', () => {
  it('answers from the cache the second time, bit for bit, and says so', async () => {
    const texts = SPAM_CASES.map(({ text }) => text);
    const first = await predict(texts);
    const runsBefore = await runs();
    const second = await predict(texts);
    expect([said(first), first.headers.age]).toEqual(['miss', undefined]);
    expect([said(second), Number(second.headers.age)]).toEqual(['hit', expect.any(Number)]);
    expect(second.body.predictions).toEqual(first.body.predictions);
    expect(second.body.predictions).toMatchObject(SPAM_CASES.map(({ label }) => ({ label })));
    expect(await runs()).toBe(runsBefore);
  });

  it('counts in the statistics of the Open Inference Protocol', async () => {
    const counts = async (): Promise<number[]> => {
      const { text } = await client.get('/v2/models/spam/stats');
      const { model_stats: stats } = JSON.parse(text) as {
        model_stats: { inference_stats: Record<'cache_hit' | 'cache_miss' | 'success', { count: number }> }[];
      };
      const { cache_hit: hit, cache_miss: miss, success } = stats[0]!.inference_stats;
      return [hit.count, miss.count, success.count];
    };
    const before = await counts();
    const texts = fresh(2);
    await predict(texts);
    await predict(texts);
    await predict([...texts, ...fresh()]);
    await predict(texts, { 'cache-control': 'no-store' });
    expect((await counts()).map((count, i) => count - before[i]!)).toEqual([1, 2, 4]);
  });

  it('runs only the texts that are new, each answer in its place', async () => {
    const texts = SPAM_CASES.map(({ text }) => text);
    await predict(texts);
    const mixed = texts.flatMap((text) => [text, ...fresh()]);
    const reply = await predict(mixed);
    expect(said(reply)).toBe('partial');
    expect(reply.body.predictions?.filter((_, i) => i % 2 === 0)).toMatchObject(
      SPAM_CASES.map(({ label }) => ({ label })),
    );
    const alone = await predict(mixed.slice(1, 2), { 'cache-control': 'no-store' });
    expect(reply.body.predictions?.[1]).toMatchObject({
      label: (alone.body.predictions?.[0] as { label: string }).label,
    });
  });

  it('has one answer for all protocols', async () => {
    const [text = ''] = fresh();
    expect(said(await predict([text]))).toBe('miss');
    const replies = await Promise.all([
      client.post('/v1/models/spam/infer', { texts: [text] }),
      client.post('/v2/models/spam/infer', {
        inputs: [{ name: 'text', datatype: 'BYTES', shape: [1], data: [text] }],
      }),
      client.post('/v1/models/spam:predict', { instances: [text] }),
    ]);
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(replies.map(said)).toEqual(['hit', 'hit', 'hit']);
  });

  it('keeps rows of tensors too', async () => {
    const rows = FRAUD_CASES.map(({ input }) => input);
    const first = await client.infer('fraud_detector', rows);
    const second = await client.infer('fraud_detector', rows);
    expect([said(first), said(second)]).toEqual(['miss', 'hit']);
    expect(second.body.outputs).toEqual(first.body.outputs);
    expect(said(await client.infer('fraud_detector', rows.slice(1)))).toBe('miss');
  });

  it('streams hits and misses alike', async () => {
    const texts = fresh(3);
    await predict(texts.slice(0, 2));
    const stream = await predict(texts, { accept: 'application/x-ndjson' });
    const lines = stream.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { index: number });
    expect(lines.map(({ index }) => index).sort()).toEqual([0, 1, 2]);
  });

  it('counts rows and bytes', async () => {
    const series = (result: string): string => `carpool_cache_rows_total{model="spam",result="${result}"}`;
    const before = [await client.metric(series('hit')), await client.metric(series('miss'))];
    const texts = fresh(3);
    await predict(texts.slice(0, 1));
    await predict(texts);
    const after = [await client.metric(series('hit')), await client.metric(series('miss'))];
    expect(after.map((count, i) => count - (before[i] ?? 0))).toEqual([1, 3]);
    expect(await client.metric('carpool_cache_bytes')).toBeGreaterThan(0);
    expect(await client.metric('carpool_cache_entries')).toBeGreaterThan(0);
  });
});

describe('Cache-Control of a request', () => {
  it.each([
    ['no-cache', ['miss', 'miss', 'hit']],
    ['no-store', ['bypass', 'bypass', 'miss']],
    ['max-age=100', ['miss', 'hit', 'hit']],
  ])('%s', async (header, expected) => {
    const texts = fresh();
    const headers = { 'cache-control': header };
    const replies = [await predict(texts, headers), await predict(texts, headers), await predict(texts)];
    expect(replies.map(said)).toEqual(expected);
  });

  it('is what metadata say by gRPC, where the answer is marked too', async () => {
    const grpc = new GrpcClient(running.grpc!);
    const request = {
      model_name: 'spam',
      inputs: [
        {
          name: 'text',
          datatype: 'BYTES',
          shape: [1],
          contents: { bytes_contents: fresh().map((t) => Buffer.from(t)) },
        },
      ],
    };
    const ask = async (metadata = {}): Promise<unknown> =>
      (await grpc.infer(request, { metadata })).headers['x-carpool-cache'];
    expect([await ask({ 'cache-control': 'no-store' }), await ask(), await ask()]).toEqual([
      'bypass',
      'miss',
      'hit',
    ]);
    expect(await ask({ 'cache-control': 'no-cache' })).toBe('miss');
    grpc.close();
  });
});

describe('a model whose answers are not kept', () => {
  it('is left alone: by models.<name>.cache', async () => {
    await client.load('plain', 'multi_io.onnx');
    const ask = (): Promise<Reply> => client.infer('plain', { a: [[1, 1, 1]], b: [[1, 1]] });
    expect([said(await ask()), said(await ask())]).toEqual([undefined, undefined]);
  });
});

describe('a swap', () => {
  it('under load never answers with the old version once the new one has the name', async () => {
    const versions = [
      ['fixed_batch.onnx', '[[4,4,4]]'],
      ['fixed_one.onnx', '[[2,2,2]]'],
    ] as const;
    const ask = async (): Promise<{ answer: string; cached: unknown }> => {
      const reply = await client.infer('rows', [[1, 1, 1]]);
      return { answer: JSON.stringify(reply.body.outputs?.['y']), cached: said(reply) };
    };
    await client.load('rows', versions[0][0]);
    let isOver = false;
    const seen = new Set<string>();
    const load = Array.from({ length: 4 }, async () => {
      while (!isOver) {
        const { answer, cached } = await ask();
        seen.add(`${answer} ${String(cached)}`);
      }
    });
    try {
      for (let swap = 1; swap <= 10; swap++) {
        const [file, expected] = versions[swap % 2]!;
        await client.load('rows', file);
        expect((await ask()).answer).toBe(expected);
        await until('a hit', async () => (await ask()).cached === 'hit');
        expect(await ask()).toEqual({ answer: expected, cached: 'hit' });
      }
    } finally {
      isOver = true;
      await Promise.all(load);
    }
    expect([...seen].filter((each) => each.endsWith(' hit')).sort()).toEqual([
      '[[2,2,2]] hit',
      '[[4,4,4]] hit',
    ]);
  });

  it('of a file that was overwritten, too', async () => {
    const put = (file: string): Promise<void> =>
      copyFile(`${root.path}/${file}`, `${root.path}/swapped.onnx`);
    const ask = (): Promise<Reply> => client.infer('swapped', [[1, 1, 1]]);
    await put('fixed_batch.onnx');
    await client.load('swapped', 'swapped.onnx');
    await ask();
    expect([said(await ask()), (await ask()).body.outputs]).toEqual(['hit', { y: [[4, 4, 4]] }]);
    await put('fixed_one.onnx');
    await client.load('swapped', 'swapped.onnx');
    const reply = await ask();
    expect([said(reply), reply.body.outputs]).toEqual(['miss', { y: [[2, 2, 2]] }]);
    // What the first version had is still right when it comes back.
    await put('fixed_batch.onnx');
    await client.load('swapped', 'swapped.onnx');
    expect((await ask()).body.outputs).toEqual({ y: [[4, 4, 4]] });
  });
});
