import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OpenLink } from '../../src/executor/link.js';
import type { Payload } from '../../src/executor/join.js';
import { openLinkOf } from '../../src/executor/open-link.js';
import { gated } from '../support/gated-link.js';
import { f32, failureOf, i64 } from '../support/lanes.js';
import { servedClass } from '../../src/models/joining.js';
import { ask, startModelHost, type ModelHost } from '../support/model-host.js';
import { until } from '../support/start-gateway.js';
import { makeTempRoot, type TempRoot } from '../support/temp-root.js';

const SHIPPED = fileURLToPath(new URL('../../../models', import.meta.url));

let root: TempRoot;
let host: ModelHost | undefined;
beforeEach(async () => {
  root = await makeTempRoot();
});
afterEach(async () => {
  await host?.close();
  host = undefined;
  await root.remove();
});

const start = async (
  fixtures: readonly string[],
  config: Parameters<typeof startModelHost>[2] = {},
  open: OpenLink = openLinkOf('thread'),
): Promise<ModelHost> => {
  for (const name of fixtures) await root.copy(name, `${name}/model.onnx`);
  host = await startModelHost(root.path, open, config);
  return host;
};

const rows = (...values: number[]): Payload => ({
  kind: 'tensors',
  rows: values.length,
  inputs: [
    f32(
      [values.length, 3],
      values.flatMap((value) => [value, value, value]),
    ),
  ],
});

describe('a loaded model', () => {
  it('tells what it is and answers, alone and joined', async () => {
    const { loader, log } = await start(['multi_io'], { batching: { maxBatch: 7 } });
    const model = await loader.load('m', 'multi_io', true);
    expect(model.info).toMatchObject({
      name: 'm',
      batch: { mode: 'dynamic' },
      batching: { maxBatch: 7, maxWaitMs: 0 },
      takesTexts: false,
      signature: { inputs: [{ name: 'a' }, { name: 'b' }] },
    });
    expect(Date.parse(model.info.loadedAt)).toBeGreaterThan(0);
    const item = (x: number): Payload => ({
      kind: 'tensors',
      rows: 1,
      inputs: [f32([1, 3], [x, 0, 0]), f32([1, 2], [1, 0])],
    });
    expect(await ask(model, [item(1), item(2), item(3)])).toEqual([[2], [3], [4]]);
    expect(await ask(model, [item(1), item(2)], 1)).toEqual([
      [2, 0, 0],
      [4, 0, 0],
    ]);
    expect(log).toEqual(['loaded m']);
  });

  it('has its batching from config.yaml, its card, and its own entry there, the last one first', async () => {
    await root.write('multi_io/model.yaml', 'batching: {maxBatch: 20, maxQueue: 30}');
    const { loader } = await start(['multi_io'], {
      batching: { maxBatch: 10, maxQueue: 10, maxWaitMs: 3 },
      models: { m: { batching: { maxQueue: 40 } } },
    });
    expect((await loader.load('m', 'multi_io', true)).info.batching).toMatchObject({
      maxBatch: 20,
      maxQueue: 40,
      maxWaitMs: 3,
    });
  });

  it('of a fixed batch runs in chunks, filled up', async () => {
    const { loader } = await start(['fixed_batch']);
    const model = await loader.load('m', 'fixed_batch', true);
    expect(model.info.batch).toMatchObject({ mode: 'fixed', size: 4, invariance: { class: 'any' } });
    const answers = await ask(model, [rows(1), rows(2, 3), rows(4), rows(5, 6)]);
    expect(answers.map((values) => values.filter((_, i) => i % 3 === 0))).toEqual([
      [4],
      [7, 10],
      [13],
      [16, 19],
    ]);
  });

  it('whose rows change each other serves one request at a time, as if alone', async () => {
    const { loader } = await start(['leaky', 'no_batch_out'], { lanes: 1 });
    const model = await loader.load('m', 'leaky', true);
    expect(model.info.batch).toMatchObject({
      mode: 'single',
      reason: expect.stringMatching(/changes by up to/) as unknown,
    });
    const answers = await ask(model, [rows(1, 3), rows(7), rows(2, 4)]);
    expect(answers).toEqual([
      [-1, -1, -1, 1, 1, 1],
      [0, 0, 0],
      [-1, -1, -1, 1, 1, 1],
    ]);
    const scalar = await loader.load('n', 'no_batch_out', true);
    expect(await ask(scalar, [rows(1, 3), rows(5)], 1)).toEqual([[2], [5]]);
  });

  it('takes texts where its card says so, and the golden ones come out right', async () => {
    await cp(join(SHIPPED, 'spam'), join(root.path, 'spam'), { recursive: true });
    const { loader, codec } = await start([]);
    const model = await loader.load('spam', 'spam', true);
    expect(model.info).toMatchObject({
      takesTexts: true,
      labels: ['ham', 'spam'],
      batch: { mode: 'dynamic' },
    });
    const texts = ['Win a free prize now!!! Call 0800 123', 'See you at lunch', 'ok'];
    const { ids, lengths } = await codec.encode(model.key, texts, { maxTokens: 128, truncate: true });
    let from = 0;
    const payloads = Array.from(lengths, (length): Payload => ({
      kind: 'text',
      ids: ids.slice(from, (from += length)),
    }));
    const together = await ask(model, payloads);
    for (const [i, payload] of payloads.entries()) {
      const [alone] = await ask(model, [payload]);
      alone!.forEach((logit, k) => expect(Number(together[i]![k])).toBeCloseTo(Number(logit), 4));
    }
    expect(Number(together[0]![1])).toBeGreaterThan(Number(together[0]![0]));
    expect(Number(together[1]![0])).toBeGreaterThan(Number(together[1]![1]));
  });

  const textModel = async (fixture: string): Promise<void> => {
    await root.write(
      `${fixture}/model.yaml`,
      'task: text-classification\nlabels: [a, b]\ntext: {maxTokens: 64}',
    );
    await cp(join(SHIPPED, 'spam/tokenizer.json'), join(root.path, fixture, 'tokenizer.json'));
    await root.copy(fixture, `${fixture}/model.onnx`);
  };

  it.each([
    ['tiny_text', 'enforce', 'dynamic', 'any', 'any'],
    ['tiny_text_leaky', 'enforce', 'dynamic', 'equal-lengths', 'equal-lengths'],
    ['tiny_text_leaky', 'warn', 'dynamic', 'equal-lengths', 'any'],
    ['tiny_text_int8', 'enforce', 'single', 'one-by-one', 'one-by-one'],
    ['tiny_text_int8', 'warn', 'dynamic', 'one-by-one', 'any'],
    ['tiny_text_int8', 'off', 'dynamic', undefined, 'any'],
  ] as const)('of texts: %s, batchInvariance: %s', async (fixture, batchInvariance, mode, cls, served) => {
    await textModel(fixture);
    const { loader } = await start([], { batching: { batchInvariance, calibrate: 'off' } });
    const { info } = await loader.load('m', fixture, true);
    const { batch } = info;
    expect([batch.mode, batch.invariance?.class, servedClass(info)]).toEqual([mode, cls, served]);
    if (cls === undefined || cls === 'any') expect(batch.reason).toBeUndefined();
    else expect(batch.reason).toMatch(/^output 'logits' of a row changes by up to/);
  });

  it('of tensors that is dynamically quantised serves one request at a time', async () => {
    const { loader } = await start(['rows_int8']);
    const { batch } = (await loader.load('m', 'rows_int8', true)).info;
    expect(batch).toMatchObject({ mode: 'single', invariance: { class: 'one-by-one', enforced: true } });
    expect(batch.reason).toMatch(/^output 'y' of a row changes by up to [\d.]+ when rows are joined/);
  });

  it('goes by the tolerance of its card, and by the setting there', async () => {
    await root.write('rows_int8/model.yaml', 'selfTest: {tolerance: 100}');
    await root.write('leaky/model.yaml', 'batching: {batchInvariance: off}');
    const { loader } = await start(['rows_int8', 'leaky']);
    expect((await loader.load('m', 'rows_int8', true)).info.batch).toMatchObject({
      mode: 'dynamic',
      invariance: { class: 'any', tolerance: 100 },
    });
    expect((await loader.load('n', 'leaky', true)).info.batch).toEqual({ mode: 'dynamic' });
  });

  it('is open and warm in every lane before it is served', async () => {
    const { open, sent } = gated(openLinkOf('thread'));
    const { loader } = await start(['multi_io'], { lanes: 3 }, open);
    const { info } = await loader.load('m', 'multi_io', true);
    // One load for the self-test's lane and one for each; 3 rows alone, 1 run together, 2 warm-ups a lane, 3 for the cost.
    expect(sent.filter((type) => type === 'load')).toHaveLength(1 + 3);
    expect(sent.filter((type) => type === 'run')).toHaveLength(
      3 + 1 + (info.batch.invariance?.runs ?? 0) + 3 * 2 + 3,
    );
  });

  it('that is retired finishes what it has, and leaves no session, metric or claim behind', async () => {
    const gate = gated(openLinkOf('thread'));
    const { loader, pool, metrics, log } = await start(['fixed_batch', 'multi_io'], { lanes: 1 }, gate.open);
    const model = await loader.load('m', 'fixed_batch', true);
    const other = await loader.load('o', 'multi_io', true);
    expect((await metrics.render()).body).toMatch(/model="m"/);
    gate.close();
    const answers = [ask(model, [rows(1)]), ask(model, [rows(2), rows(3, 4, 5, 6)])];
    const retiring = loader.retire(model);
    gate.release();
    await retiring;
    expect((await Promise.all(answers)).flat().map(([first]) => first)).toEqual([4, 7, 10]);
    expect(await failureOf(ask(model, [rows(1)]))).toMatch(/^DRAINING/);
    const run = pool.onLane((lane) => lane.run(model.key, { kind: 'tensors', rows: 0, inputs: [] }));
    expect(await failureOf(run)).toMatch(/^MODEL_UNAVAILABLE/);
    expect((await metrics.render()).body).not.toMatch(/model="m"/);
    expect(log).toEqual(['loaded m', 'loaded o', 'retired m']);
    expect(other.batcher.queuedRows).toBe(0);
  });
});

describe('a model that can not be loaded', () => {
  it.each([
    ['broken', /MODEL_LOAD_FAILED: .*broken\/model\.onnx: .*Protobuf/],
    ['invalid_graph', /MODEL_LOAD_FAILED: .*invalid_graph\/model\.onnx: .*NoSuchOp/],
    ['map_out', /MODEL_LOAD_FAILED: .*map_out\/model\.onnx: output 'probabilities' is a sequence or map/],
  ])('%s: is named with the reason, and others go on', async (name, failure) => {
    const { loader, log } = await start([name, 'poison']);
    const model = await loader.load('good', 'poison', true);
    const row: Payload = { kind: 'tensors', rows: 1, inputs: [i64([1], [3])] };
    const [answer, failed] = await Promise.all([
      ask(model, [row]),
      failureOf(loader.load('bad', name, false)),
    ]);
    expect(failed).toMatch(failure);
    expect(answer).toEqual([[30.5]]);
    expect(await ask(model, [row])).toEqual([[30.5]]);
    expect(log).toEqual(['loaded good']);
  });

  it('because of its card is named with the key', async () => {
    await root.write('multi_io/model.yaml', 'logits: nope');
    const { loader } = await start(['multi_io']);
    expect(await failureOf(loader.load('m', 'multi_io', true))).toMatch(
      /MODEL_LOAD_FAILED: .*multi_io\/model\.onnx: model\.yaml: logits: expected one of .*"nope"/,
    );
  });

  it.each([1, 2])('because its lane died in the self-test, %d times, is tried once more', async (deaths) => {
    const gate = gated(openLinkOf('process'));
    const { loader, pool, log } = await start(['multi_io'], { lanes: 1 }, gate.open);
    gate.close();
    const loading = loader.load('m', 'multi_io', true);
    const failure = failureOf(loading);
    for (let death = 0; death < deaths; death++) {
      gate.sent.length = 0;
      await until('the self-test', () => gate.sent.includes('run'));
      process.kill(pool.pids[0] ?? 0, 'SIGKILL');
    }
    if (deaths === 2) {
      expect(await failure).toMatch(
        /^MODEL_LOAD_FAILED: .*multi_io\/model\.onnx: .*SIGKILL while loading it, as at the first attempt$/,
      );
      gate.release();
      expect((await loader.load('m', 'multi_io', true)).info.batch.mode).toBe('dynamic');
    } else {
      gate.release();
      // A lane that dies is no sign that rows can't be joined.
      expect((await loading).info.batch.mode).toBe('dynamic');
    }
    expect(log).toEqual([...Array.from({ length: deaths }, () => 'restart'), 'loaded m']);
  });

  it('because its lane died while it was warmed is tried once more', async () => {
    let opened = 0;
    const { loader, log } = await start(['multi_io'], { lanes: 2 }, (events) => {
      const link = openLinkOf('process')(events);
      // The self-test runs in the first lane.
      const isDoomed = ++opened === 2;
      const post: typeof link.post = (request, transfer) => {
        if (isDoomed && request.type === 'run') process.kill(link.pid ?? 0, 'SIGKILL');
        link.post(request, transfer);
      };
      return { ...link, post };
    });
    const model = await loader.load('m', 'multi_io', true);
    expect(model.info.batch.mode).toBe('dynamic');
    expect(log).toEqual(['restart', 'loaded m']);
  });

  it('because a lane that died between two of its runs was replaced is tried once more', async () => {
    let runs = 0;
    let lane: ReturnType<OpenLink> | undefined;
    const { loader, pool, log } = await start(['multi_io'], { lanes: 1 }, (events) => {
      const onReply: typeof events.onReply = (reply) => {
        // The self-test, which has the lane to itself, is over by now; the test of invariance takes it run by run.
        if (reply.type === 'ran' && ++runs === 8) process.kill(lane?.pid ?? 0, 'SIGKILL');
        events.onReply(reply);
      };
      return (lane = openLinkOf('process')({ ...events, onReply }));
    });
    const model = await loader.load('m', 'multi_io', true);
    expect(model.info.batch).toMatchObject({ mode: 'dynamic', invariance: { class: 'any' } });
    expect([...log, pool.pids.length]).toEqual(['restart', 'loaded m', 1]);
  });

  it('because its lanes are lost says so as a failed load', async () => {
    const { loader, pool } = await start(['multi_io']);
    await pool.close();
    expect(await failureOf(loader.load('m', 'multi_io', true))).toMatch(
      /^MODEL_LOAD_FAILED: .*multi_io\/model\.onnx: .* while loading it, as at the first attempt$/,
    );
  });
});
