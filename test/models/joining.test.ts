import { describe, expect, it } from '@jest/globals';
import type { CostFit } from '#batcher';
import { batchingSchema } from '../../src/config/batching.js';
import { reportCost } from '../../src/models/cost-report.js';
import { joiningText, mostRows, servedClass } from '../../src/models/joining.js';
import type { BatchMode, InvarianceClass, ModelInfo } from '../../src/models/model-info.js';
import { costBasisOf } from '../../src/models/row-length.js';
import { infoOf, spec } from '../protocol/support.js';

const leaking = (cls: InvarianceClass, enforced: boolean, mode: BatchMode): BatchMode => ({
  ...mode,
  invariance: { class: cls, enforced, tolerance: 1e-4, runs: 1, outputs: [] },
});
const DYNAMIC: BatchMode = { mode: 'dynamic' };
const FIXED: BatchMode = { mode: 'fixed', size: 4 };
const SINGLE: BatchMode = { mode: 'single' };

const info = (batch: BatchMode, takesTexts: boolean, batching: object = {}): ModelInfo =>
  infoOf({}, { batch, takesTexts, batching: batchingSchema.parse({ maxBatch: 32, ...batching }) });

describe('how rows ride together', () => {
  it.each<[string, ModelInfo, InvarianceClass, number, string]>([
    ['nothing is known', info(DYNAMIC, true), 'any', 32, ''],
    ['nothing leaks', info(leaking('any', true, DYNAMIC), true), 'any', 32, ''],
    ['batches are of a fixed size', info(FIXED, false), 'any', 4, 'in chunks of 4'],
    [
      'padding leaks',
      info(leaking('equal-lengths', true, DYNAMIC), true),
      'equal-lengths',
      32,
      'only texts of equal length are joined',
    ],
    [
      'padding leaks and nobody minds',
      info(leaking('equal-lengths', false, DYNAMIC), true),
      'any',
      32,
      'joined although rows change each other (batchInvariance: warn)',
    ],
    ['texts leak', info(leaking('one-by-one', true, SINGLE), true), 'one-by-one', 1, 'one text at a time'],
    [
      'texts leak in a fixed batch',
      info(leaking('one-by-one', true, FIXED), true),
      'one-by-one',
      1,
      'one text at a time',
    ],
    ['tensors have no batch', info(SINGLE, false), 'one-by-one', 1, 'one request at a time'],
    ['composition is off', info(DYNAMIC, true, { composition: 'off' }), 'one-by-one', 1, ''],
  ])('where %s', (_, model, cls, rows, text) => {
    expect([servedClass(model), mostRows(model), joiningText(model)]).toEqual([cls, rows, text]);
  });
});

describe('the advice on batching', () => {
  const fit: CostFit = {
    basis: 'padded',
    coefficients: { alphaMs: 10, betaMsPerToken: 0.1, kneeTokens: 0, quadMsPerTokenSquared: 0 },
    error: 0,
    runs: 100,
  };
  const advice = (joins: InvarianceClass): string =>
    reportCost(fit, { sloMs: 1_000, maxBatch: 8, maxTokens: 8, referenceLength: 8, joins }).advice;

  it('says among which rows it pays', () => {
    expect(advice('any')).toMatch(/^batching pays up to [\d.]+× at 8 tokens/);
    expect(advice('equal-lengths')).toMatch(/^batching among texts of equal length pays up to [\d.]+×/);
    expect(advice('one-by-one')).toBe('rows are not joined');
  });
});

describe('what runs are measured by', () => {
  it.each([
    [['N', 3], 'rows'],
    [['N'], 'rows'],
    [['N', 'T', 2], 'padded'],
  ])('of an input %j: %s', (shape, basis) => {
    expect(costBasisOf({ inputs: [spec('x', 'float32', shape)], outputs: [] })).toBe(basis);
  });
});
