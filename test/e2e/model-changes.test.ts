import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { HttpClient, Reply } from '../support/http-client.js';
import {
  startGateway,
  tempModelRoot,
  until,
  type Running,
  type TempFolder,
} from '../support/start-gateway.js';
import { FRAUD_CASES } from './golden.js';

let root: TempFolder;
let running: Running;
let client: HttpClient;

beforeAll(async () => {
  root = await tempModelRoot({
    'bad_card/model.yaml': 'task: tensor\nbatchin: {}\n',
    'no_model/model.yaml': 'task: tensor\n',
    'broken_at_start/model.onnx': 'no model either',
  });
  running = await startGateway({
    models: { root: root.path, load: ['fraud_detector', 'broken_at_start'] },
  });
  ({ client } = running);
});
afterAll(async () => {
  await running.close();
  await root.remove();
});

/** Asks over and over, until told to stop. @returns every answer that was not as it should be */
const askMeanwhile = (
  ask: () => Promise<string | undefined>,
): { stop(): Promise<string[]>; count(): number } => {
  const problems: string[] = [];
  let isOver = false;
  let count = 0;
  const clients = Array.from({ length: 8 }, async () => {
    while (!isOver) {
      const problem = await ask();
      if (problem !== undefined) problems.push(problem);
      count++;
    }
  });
  return {
    count: () => count,
    stop: async () => {
      isOver = true;
      await Promise.all(clients);
      return problems;
    },
  };
};

const askNeighbour = async (): Promise<string | undefined> => {
  const { input, probabilities } = FRAUD_CASES[0]!;
  const { status, body, text } = await client.infer('fraud_detector', [input]);
  const isRight = Math.abs((body.confidence?.[0] ?? NaN) - probabilities[1]) < 1e-4;
  return status === 200 && isRight ? undefined : text;
};

const codeOf = ({ status, body }: Reply): string => `${status} ${body.error?.code ?? ''}`;

describe('a load that fails', () => {
  it.each([
    ['broken.onnx', 'broken.onnx', /protobuf/i],
    ['invalid_graph.onnx', 'invalid_graph.onnx', /NoSuchOp/],
    ['map_out.onnx', 'map_out.onnx', /probabilities/],
    ['bad_card', 'model.yaml', /batchin/],
    ['no_model', 'model.yaml', /model\.onnx/],
    ['not_there.onnx', 'not_there.onnx', /nothing is at/],
  ])('%s: names the file and the reason, and disturbs nobody', async (path, file, reason) => {
    const meanwhile = askMeanwhile(askNeighbour);
    const reply = await client.load('unlucky', path);
    await until('some requests after it', () => meanwhile.count() > 20);
    expect(codeOf(reply)).toBe('422 MODEL_LOAD_FAILED');
    expect(reply.body.error?.message).toContain(file);
    expect(reply.body.error?.message).toMatch(reason);
    expect(await meanwhile.stop()).toEqual([]);
    expect(codeOf(await client.infer('unlucky', [[1]]))).toBe('404 MODEL_NOT_FOUND');
  });

  it('at the start: is in the report and in health, and the others serve', async () => {
    expect(running.report.failed).toMatchObject([{ name: 'broken_at_start', code: 'MODEL_LOAD_FAILED' }]);
    expect(running.report.failed[0]?.message).toContain('model.onnx');
    expect((await client.get('/readyz')).body).toEqual({
      status: 'ok',
      models: expect.objectContaining({ fraud_detector: 'ready', broken_at_start: 'failed' }),
    });
    expect(codeOf(await client.infer('broken_at_start', [[1]]))).toBe('503 MODEL_UNAVAILABLE');
    expect(await askNeighbour()).toBeUndefined();
  });

  it('over a name that is served leaves the old version serving', async () => {
    await client.load('kept', 'multi_io.onnx');
    expect(codeOf(await client.load('kept', 'broken.onnx'))).toBe('422 MODEL_LOAD_FAILED');
    const { body } = await client.infer('kept', { a: [[1, 1, 1]], b: [[1, 1]] });
    expect(body.outputs).toEqual({ sum: [[5]], scaled: [[2, 2, 2]] });
  });
});

describe('a load over a name that is served', () => {
  it('swaps the model without a failed request', async () => {
    // y = 3x + 1 in chunks of four, and y = x + 1 one by one: an answer tells which one gave it.
    const versions = ['fixed_batch.onnx', 'fixed_one.onnx'];
    await client.load('swapped', versions[0]!);
    const seen = new Set<number>();
    const meanwhile = askMeanwhile(async () => {
      const { status, body, text } = await client.infer('swapped', [[10, 10, 10]]);
      const [y] = (body.outputs?.['y'] ?? []) as readonly (readonly number[])[];
      seen.add(y?.[0] ?? NaN);
      return status === 200 && (y?.[0] === 31 || y?.[0] === 11) && y[0] === y[2] ? undefined : text;
    });
    for (let i = 1; i <= 6; i++) {
      const before = meanwhile.count();
      expect((await client.load('swapped', versions[i % 2]!)).status).toBe(200);
      await until('requests to the new version', () => meanwhile.count() > before + 30);
      // From the answer to the load on, the new version is what answers.
      const { body } = await client.infer('swapped', [[10, 10, 10]]);
      expect(body.outputs).toEqual({ y: [i % 2 === 0 ? [31, 31, 31] : [11, 11, 11]] });
    }
    expect(await meanwhile.stop()).toEqual([]);
    expect(seen).toEqual(new Set([31, 11]));
  });

  it('lets two loads and an unload at once end in one state', async () => {
    const replies = await Promise.all([
      client.load('raced', 'fixed_one.onnx'),
      client.load('raced', 'fixed_batch.onnx'),
      client.delete('/v1/models/raced'),
      client.load('raced', 'fixed_one.onnx'),
    ]);
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect((await client.infer('raced', [[1, 2, 3]])).body.outputs).toEqual({ y: [[2, 3, 4]] });
  });
});

describe('an unload', () => {
  it('takes the name away, finishes what was accepted, and its series go', async () => {
    await client.load('going', 'slow.onnx');
    const row = Array.from({ length: 64 }, () => 1);
    const accepted = Promise.all([1, 2, 3].map(() => client.infer('going', [row])));
    await until(
      'accepted',
      async () => (await client.metric('carpool_admitted_rows_total{model="going"}')) === 3,
    );
    const deleted = client.delete('/v1/models/going');
    await until('gone', async () => codeOf(await client.infer('going', [row])) === '404 MODEL_NOT_FOUND');
    expect((await accepted).map(({ body }) => body.outputs)).toEqual(
      [1, 2, 3].map(() => ({ y: [row.map(() => 2)] })),
    );
    expect((await deleted).body).toMatchObject({ status: 'unloaded', name: 'going' });
    expect((await client.get('/metrics')).text).not.toContain('model="going"');
    expect(codeOf(await client.delete('/v1/models/going'))).toBe('404 MODEL_NOT_FOUND');
  });
});

describe('a poisonous row', () => {
  it.each(['thread', 'process'] as const)('fails alone among 300 others, in %s lanes', async (isolation) => {
    const own = await startGateway({
      lanes: { isolation },
      // So that they ride together, however slowly they come in and whatever is known of their cost.
      batching: { maxWaitMs: 100, composition: 'fifo', singleFlight: false },
      models: { root: root.path, load: ['fraud_detector'] },
    });
    try {
      await own.client.load('poison_rows', 'poison_rows.onnx');
      // Indices beyond 9 fail the whole run that they are in.
      const isPoison = (i: number): boolean => i % 60 === 31;
      const asks = Array.from({ length: 300 }, (_, i) => (isPoison(i) ? 1_000 + i : i % 10));
      const replies = await Promise.all(asks.map((index) => own.client.infer('poison_rows', [[index]])));
      expect(replies.map((reply) => reply.body.outputs ?? codeOf(reply))).toEqual(
        asks.map((index, i) => (isPoison(i) ? '500 EXECUTION_FAILED' : { y: [[index * 10 + 0.5]] })),
      );
      expect(replies.find(({ status }) => status === 500)?.body.error?.message).toContain('1031');
      const retried = 'carpool_retried_batches_total{model="poison_rows"}';
      expect(await own.client.metric(retried)).toBeGreaterThan(0);
      expect(await own.client.metric('carpool_lane_restarts_total')).toBe(0);
    } finally {
      await own.close();
    }
  });

  it('fails its whole request, and only that', async () => {
    await client.load('poison_rows', 'poison_rows.onnx');
    const [mixed, good] = await Promise.all([
      client.infer('poison_rows', [[1], [99], [2]]),
      client.infer('poison_rows', [[1], [2]]),
    ]);
    expect(codeOf(mixed)).toBe('500 EXECUTION_FAILED');
    expect(good.body.outputs).toEqual({ y: [[10.5], [20.5]] });
  });
});
