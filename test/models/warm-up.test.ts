import { describe, expect, it } from '@jest/globals';
import type { Payload } from '../../src/executor/join.js';
import type { BatchMode, InvarianceClass } from '../../src/models/model-info.js';
import { warmupOf } from '../../src/models/warm-up.js';

const SAMPLES: readonly Payload[] = [3, 8, 20].map((length) => ({
  kind: 'text',
  ids: new Int32Array(length),
}));

const mode = (cls: InvarianceClass, enforced: boolean): BatchMode => ({
  mode: 'dynamic',
  invariance: { class: cls, enforced, tolerance: 1e-4, runs: 1, outputs: [] },
});

/** Lengths of the texts of each batch. */
const lengthsOf = (batch: BatchMode, samples = SAMPLES): number[][] =>
  warmupOf(samples, batch).map((each) => (each.kind === 'texts' ? [...each.lengths] : []));

describe('the warm-up', () => {
  it.each<[string, BatchMode, number[][]]>([
    ['any rows together', mode('any', true), [[3], [3, 8, 20]]],
    ['equal lengths together', mode('equal-lengths', true), [[3], [3, 3]]],
    ['any rows together, whatever leaks', mode('equal-lengths', false), [[3], [3, 8, 20]]],
    ['any rows together, not measured', { mode: 'dynamic' }, [[3], [3, 8, 20]]],
    ['nothing together', { mode: 'single' }, [[3]]],
    ['what fills a fixed batch', { mode: 'fixed', size: 4 }, [[3]]],
  ])('of a model that runs %s', (_, batch, lengths) => {
    expect(lengthsOf(batch)).toEqual(lengths);
  });

  it('is none without a row that runs', () => {
    expect(lengthsOf(mode('any', true), [])).toEqual([]);
  });
});
