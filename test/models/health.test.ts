import { describe, expect, it } from '@jest/globals';
import { resolveConfig } from '../../src/config/resolve.js';
import { liveness, readiness, type HealthDeps } from '../../src/models/health.js';
import type { ServedModel } from '../../src/models/served-model.js';

interface FakeModel {
  readonly name: string;
  readonly lanes?: number;
  readonly circuit?: 'closed' | 'open' | 'half-open';
  /** Its oldest run is overdue. */
  readonly ageMs?: number;
  /** The oldest run of its copies is. */
  readonly copyAgeMs?: number;
  /** It answers only who names it. */
  readonly isBeside?: boolean;
}

const depsOf = (
  models: readonly FakeModel[],
  more: {
    failed?: readonly string[];
    stuck?: boolean;
    abandoned?: number;
    required?: Readonly<Record<string, boolean>>;
  } = {},
): HealthDeps => {
  const { failed = [], stuck = false, abandoned = 0, required = {} } = more;
  const overrides = new Map(Object.entries(required).map(([name, value]) => [name, { required: value }]));
  const guardOf = (circuit: string, ageMs?: number): object => ({
    circuit,
    overdue: () => (ageMs === undefined ? undefined : { ageMs, predictedMs: 12.4 }),
  });
  const served = models.map(({ name, circuit = 'closed', ageMs, copyAgeMs, isBeside = false }) => {
    const guard = guardOf(circuit, ageMs);
    const guards = [guard, guardOf('closed', copyAgeMs)];
    return { key: `${name}#1`, info: { name }, guard, guards, isBeside };
  });
  const settings = resolveConfig({}, '/base');
  return {
    settings: { ...settings, models: { ...settings.models, overrides } },
    pool: {
      isStuck: stuck,
      abandoned,
      lanesWith: (key) => models.find(({ name }) => `${name}#1` === key)?.lanes ?? 1,
    },
    registry: {
      // Checked by reading: health looks at nothing else of a model.
      all: served.filter(({ isBeside }) => !isBeside) as unknown as readonly ServedModel[],
      allVersions: served as unknown as readonly ServedModel[],
      failures: new Map(failed.map((name) => [name, { code: 'MODEL_LOAD_FAILED', message: 'broken' }])),
      retiring: new Set(),
    },
  };
};

describe('readiness', () => {
  it.each([
    ['all work', depsOf([{ name: 'a' }, { name: 'b' }]), undefined],
    ['none is loaded', depsOf([]), 'no model is loaded'],
    ['no lane can run one', depsOf([{ name: 'a' }, { name: 'b', lanes: 0 }]), 'no_lane'],
    [
      'no lane can run one that is not required',
      depsOf([{ name: 'a' }, { name: 'b', lanes: 0 }], { required: { b: false } }),
      undefined,
    ],
    ['one could not be loaded', depsOf([{ name: 'a' }], { failed: ['b'] }), undefined],
    [
      'one could not be loaded that is required by name',
      depsOf([{ name: 'a' }], { failed: ['b'], required: { b: true } }),
      'model_failed',
    ],
    [
      'one is paused: the others are served',
      depsOf([{ name: 'a' }, { name: 'b', circuit: 'open' }]),
      undefined,
    ],
  ])('%s', (_, deps, reason) => {
    const state = readiness(deps);
    expect([state.ok, state.reason]).toEqual([reason === undefined, reason]);
  });

  it('says how every model is, and why in a sentence', () => {
    const models = [{ name: 'a' }, { name: 'b', lanes: 0 }, { name: 'c', circuit: 'open' as const }];
    expect(readiness(depsOf(models, { failed: ['d'], abandoned: 3 }))).toEqual({
      ok: false,
      reason: 'no_lane',
      detail: "model b is required and no lane can run it now; 3 threads hang and can't be ended",
      models: { a: 'ready', b: 'no_lane', c: 'circuit_open', d: 'failed' },
    });
  });
});

describe('liveness', () => {
  it('holds while runs progress, whatever readiness says', () => {
    expect(liveness(depsOf([{ name: 'a', lanes: 0, circuit: 'open' }], { abandoned: 2 }))).toEqual({
      ok: true,
    });
  });

  it('fails for a run that should have ended long ago', () => {
    expect(liveness(depsOf([{ name: 'a' }, { name: 'b', ageMs: 200_000.2 }]))).toEqual({
      ok: false,
      reason: 'run_stuck',
      detail: 'a batch of b has run for 200000 ms; 12 ms were predicted',
    });
  });

  it.each([
    ['a version beside the default one', { name: 'b', ageMs: 200_000, isBeside: true }],
    ['copies for a shadow', { name: 'b', copyAgeMs: 200_000 }],
  ])('fails for a run of %s', (_, model) => {
    expect(liveness(depsOf([{ name: 'a' }, model])).reason).toBe('run_stuck');
  });

  it('fails when no lane is left and none will come', () => {
    expect(liveness(depsOf([{ name: 'a' }], { stuck: true, abandoned: 9 }))).toEqual({
      ok: false,
      reason: 'lanes_stuck',
      detail: "no lane is left: 9 threads hang and can't be ended",
    });
  });
});
