import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Lane } from '../../src/executor/lane.js';
import { openLinkOf } from '../../src/executor/open-link.js';
import type { Payload } from '../../src/executor/join.js';
import { batchAxisOf } from '../../src/models/batch-axis.js';
import { sampleRows } from '../../src/models/samples.js';
import { selfTest, type SelfTest } from '../../src/models/self-test.js';
import { specOf } from '../support/lanes.js';

let lane: Lane;
beforeAll(async () => {
  lane = new Lane(openLinkOf('thread'));
  await lane.ready;
});
afterAll(() => lane.stop());

const TEXTS: readonly Payload[] = [[5], [17, 3, 99, 7_000], [2, 8, 4, 1, 600, 42, 11]].map((ids) => ({
  kind: 'text',
  ids: Int32Array.from(ids),
}));

/** What the loader does with a fixture, in a real lane. */
const test = async (name: string, asTexts = false): Promise<SelfTest> => {
  const signature = await lane.load(specOf(name, asTexts ? { text: { padId: 0 } } : {}));
  const axis = batchAxisOf(signature);
  try {
    return await selfTest({
      signature,
      axis,
      candidates: asTexts ? [TEXTS] : sampleRows(signature, {}, axis.kind),
      run: (batch, fillTo) => lane.run(name, batch, fillTo),
    });
  } finally {
    await lane.unload(name);
  }
};

describe('a real model', () => {
  it.each(['multi_io', 'dyn_tail', 'tiny_text', 'dtypes', 'poison', 'poison_rows', 'string_io', 'bigint'])(
    '%s: its rows can be joined',
    async (name) => {
      const { mode, samples } = await test(name);
      expect(mode).toEqual({ mode: 'dynamic' });
      expect(samples).toHaveLength(3);
    },
  );

  it('tiny_text: its texts can be joined', async () => {
    expect(await test('tiny_text', true)).toEqual({ mode: { mode: 'dynamic' }, samples: TEXTS });
  });

  it.each([
    ['fixed_batch', 4],
    ['fixed_one', 1],
  ])('%s: rows run in chunks of %i', async (name, size) => {
    const { mode, samples } = await test(name);
    expect(mode).toEqual({ mode: 'fixed', size });
    expect(samples).toHaveLength(3);
  });

  it.each([
    ['no_batch_out', "output 'mean' has no batch dimension (shape [])", 3],
    [
      'scalar_input',
      "input 'scale' has first dimension 1 and input 'x' has N: they have no batch dimension in common",
      3,
    ],
  ])('%s: one request at a time, for a reason', async (name, reason, count) => {
    const { mode, samples } = await test(name);
    expect(mode).toEqual({ mode: 'single', reason });
    expect(samples).toHaveLength(count);
  });
});
