import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Payload } from '../../../src/executor/join.js';
import { Lane } from '../../../src/executor/lane.js';
import { openLinkOf } from '../../../src/executor/open-link.js';
import { batchAxisOf } from '../../../src/models/batch-axis.js';
import { AT_LOAD, type Effort } from '../../../src/models/invariance/effort.js';
import { examine } from '../../../src/models/invariance/examine.js';
import { classOf } from '../../../src/models/invariance/verdict.js';
import { sampleRows } from '../../../src/models/samples.js';
import { specOf } from '../../support/lanes.js';

let lane: Lane;
beforeAll(async () => {
  lane = new Lane(openLinkOf('thread'));
  await lane.ready;
});
afterAll(() => lane.stop());

const NO_LIMIT: Effort = { ...AT_LOAD, budgetMs: Infinity };
const TEXTS: readonly Payload[] = [
  Array.from({ length: 60 }, (_, i) => 40 + ((i * 7_919) % 7_900)),
  [2, 17, 3],
].map((ids) => ({ kind: 'text', ids: Int32Array.from(ids) }));

/** The class, and the largest differences of the only output. */
const found = async (name: string, asTexts: boolean): Promise<(string | number | undefined)[]> => {
  const signature = await lane.load(specOf(name, asTexts ? { text: { padId: 0 } } : {}));
  const axis = batchAxisOf(signature);
  const [samples = []] = sampleRows(signature, {}, axis.kind);
  try {
    const measured = await examine(
      {
        signature,
        mode: axis.kind === 'fixed' ? { mode: 'fixed', size: axis.size } : { mode: 'dynamic' },
        batching: { maxBatch: 64, maxBatchTokens: 16_384 },
        maxTokens: 64,
        samples: asTexts ? TEXTS : samples,
        run: (batch, fillTo) => lane.run(name, batch, fillTo),
      },
      NO_LIMIT,
    );
    if (measured === undefined) return ['not measured'];
    const [output] = measured.outputs;
    return [classOf(measured, 1e-4), output?.equalLengths?.difference, output?.padded?.difference];
  } finally {
    await lane.unload(name);
  }
};

describe('a real model', () => {
  it.each(['multi_io', 'dyn_tail', 'dtypes', 'poison', 'poison_rows', 'string_io', 'bigint', 'fixed_batch'])(
    '%s: rows do not change each other',
    async (name) => {
      const [cls, equal, padded] = await found(name, false);
      expect([cls, padded]).toEqual(['any', undefined]);
      expect(equal).toBeLessThan(1e-6);
    },
  );

  it('of a fixed batch of one has no neighbours', async () => {
    expect(await found('fixed_one', false)).toEqual(['not measured']);
  });

  it.each(['leaky', 'rows_int8'])('%s: rows change each other', async (name) => {
    const [cls, difference] = await found(name, false);
    expect(cls).toBe('one-by-one');
    expect(difference).toBeGreaterThan(0.01);
  });

  it('of texts that heeds its mask may join any', async () => {
    expect(await found('tiny_text', true)).toEqual(['any', 0, 0]);
  });

  it('of texts that does not heed its mask may join those of equal length', async () => {
    const [cls, equal, padded] = await found('tiny_text_leaky', true);
    expect([cls, equal]).toEqual(['equal-lengths', 0]);
    expect(padded).toBeGreaterThan(0.1);
  });

  it('of texts that is dynamically quantised leaks among equal lengths, and padded', async () => {
    const [cls, equal, padded] = await found('tiny_text_int8', true);
    expect(cls).toBe('one-by-one');
    expect(equal).toBeGreaterThan(0.005);
    expect(padded).toBeGreaterThan(0.005);
  });
});
