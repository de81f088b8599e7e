import { describe, expect, it } from '@jest/globals';
import { Lane } from '../../src/executor/lane.js';
import { openLinkOf } from '../../src/executor/open-link.js';
import { elementCount } from '../../src/tensor.js';
import {
  failureOf,
  fixture,
  KINDS,
  multiBatch,
  slowBatch,
  specOf,
  textsOf,
  valuesAt,
  withLane,
} from '../support/lanes.js';

describe.each(KINDS)('a lane in a %s', (kind) => {
  it('tells names, dtypes and shapes of a model it opens', () =>
    withLane(kind, async (lane) => {
      expect(await lane.load(specOf('multi_io'))).toEqual({
        inputs: [
          { name: 'a', dtype: 'float32', shape: ['N', 3] },
          { name: 'b', dtype: 'float32', shape: ['N', 2] },
        ],
        outputs: [
          { name: 'sum', dtype: 'float32', shape: ['N', 1] },
          { name: 'scaled', dtype: 'float32', shape: ['N', 3] },
        ],
      });
      const { outputs } = await lane.load(specOf('no_batch_out'));
      expect(outputs).toContainEqual({ name: 'mean', dtype: 'float32', shape: [] });
      const { inputs } = await lane.load(specOf('dyn_tail'));
      expect(inputs).toEqual([{ name: 'x', dtype: 'float32', shape: ['N', 'T', 2] }]);
    }));

  it('names the file and the reason of the runtime when a model does not open, and goes on serving', () =>
    withLane(kind, async (lane) => {
      await lane.load(specOf('multi_io'));
      const reasons = {
        broken: /Protobuf parsing failed/,
        invalid_graph: /NoSuchOp.*not a registered function/,
        map_out: /output 'probabilities' is a sequence or map; only tensors/,
        no_such_file: /File doesn't exist/,
      };
      for (const [name, reason] of Object.entries(reasons)) {
        const failure = await failureOf(lane.load(specOf(name)));
        expect(failure).toMatch(/^MODEL_LOAD_FAILED: /);
        expect(failure).toContain(fixture(name));
        expect(failure).toMatch(reason);
        expect(valuesAt(await lane.run('multi_io', multiBatch()))).toEqual([10]);
      }
      expect(await failureOf(lane.run('map_out', multiBatch()))).toMatch(/^MODEL_UNAVAILABLE/);
    }));

  it('lists the execution providers that there are when one is wanted that can not be had', () =>
    withLane(kind, async (lane) => {
      const foo = await failureOf(lane.load(specOf('multi_io', { executionProviders: ['foo', 'cpu'] })));
      expect(foo).toMatch(/^MODEL_LOAD_FAILED: execution provider 'foo' is not in this build.*: cpu\b/);
      const cuda = await failureOf(lane.load(specOf('multi_io', { executionProviders: ['cuda'] })));
      expect(cuda).toMatch(/^MODEL_LOAD_FAILED: /);
      expect(cuda).toContain(fixture('multi_io'));
      expect(cuda).toMatch(/this build has: cpu\b/);
      expect(await failureOf(lane.load(specOf('multi_io')))).toBe('answered');
    }));

  it('refuses texts for a model whose inputs are none of a text', () =>
    withLane(kind, async (lane) => {
      const failure = await failureOf(lane.load(specOf('multi_io', { text: { padId: 0 } })));
      expect(failure).toContain(fixture('multi_io'));
      expect(failure).toMatch(/^MODEL_LOAD_FAILED: .*input 'a' can't be made from a text/);
      await lane.load(specOf('multi_io'));
      expect(await failureOf(lane.run('multi_io', textsOf([1])))).toMatch(/^INTERNAL: texts for a model/);
    }));

  it('says MODEL_UNAVAILABLE for a key that it has not opened, or has closed', () =>
    withLane(kind, async (lane) => {
      expect(await failureOf(lane.run('multi_io', multiBatch()))).toMatch(/^MODEL_UNAVAILABLE: .*multi_io/);
      await lane.load(specOf('multi_io'));
      await lane.load(specOf('leaky'));
      await lane.unload('multi_io');
      await lane.unload('multi_io');
      expect(await failureOf(lane.run('multi_io', multiBatch()))).toMatch(/^MODEL_UNAVAILABLE/);
      await lane.load(specOf('multi_io'));
      expect(valuesAt(await lane.run('multi_io', multiBatch()))).toEqual([10]);
    }));

  it('takes what is asked of it at once in the order asked', () =>
    withLane(kind, async (lane) => {
      // None of these waits for the one before: the runtime's own calls come back in a later turn.
      const asked = [
        lane.load(specOf('slow')),
        lane.load(specOf('slow')),
        lane.run('slow', slowBatch()),
        lane.unload('slow'),
        lane.run('slow', slowBatch()),
        lane.load(specOf('slow')),
        lane.run('slow', slowBatch()),
      ];
      const settled = (await Promise.allSettled(asked)).map(({ status }) => status);
      const [yes, no] = ['fulfilled', 'rejected'];
      expect(settled).toEqual([yes, yes, yes, yes, no, yes, yes]);
    }));

  it('is running exactly while something is asked of it', () =>
    withLane(kind, async (lane) => {
      expect(lane.running).toBe(false);
      const load = lane.load(specOf('slow'));
      expect(lane.running).toBe(true);
      await load;
      expect(lane.running).toBe(false);
      const run = lane.run('slow', slowBatch());
      expect(lane.running).toBe(true);
      const { runMs } = await run;
      expect(lane.running).toBe(false);
      expect(runMs).toBeGreaterThan(20);
    }));

  it('has a process of its own exactly where it is one', () =>
    withLane(kind, (lane) => {
      expect(lane.pid === undefined ? 'thread' : 'process').toBe(kind);
      expect(lane.pid).not.toBe(process.pid);
      return Promise.resolve();
    }));

  it('answers what it is doing before it stops, and ends without an error', async () => {
    const lane = new Lane(openLinkOf(kind));
    await lane.ready;
    await lane.load(specOf('slow'));
    await lane.load(specOf('multi_io'));
    const rows = 50_000;
    const ones = (dims: number[]): Float32Array => new Float32Array(elementCount(dims)).fill(1);
    const inputs = [
      [rows, 3],
      [rows, 2],
    ].map((dims) => ({ dtype: 'float32' as const, dims, data: ones(dims) }));
    const slow = lane.run('slow', slowBatch());
    const large = lane.run('multi_io', { kind: 'tensors', rows, inputs });
    await lane.stop();
    // The answer is larger than what a pipe holds: it must be written out before the wire is closed.
    expect(valuesAt(await large)).toHaveLength(rows);
    expect(valuesAt(await slow)).toEqual(new Array(64).fill(2));
    expect(await lane.ended).toMatch(/ended with code 0$/);
    expect(lane.lost).toBe(true);
    await lane.stop();
    expect(await failureOf(lane.run('slow', slowBatch()))).toMatch(/^WORKER_LOST/);
  });
});
