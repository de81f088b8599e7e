import { describe, expect, it } from '@jest/globals';
import { Arbiter } from '../../src/executor/arbiter.js';
import type { Payload } from '../../src/executor/join.js';
import { LanePool } from '../../src/executor/pool.js';
import type { LaneRequest } from '../../src/executor/protocol.js';
import { cardSchema } from '../../src/models/card.js';
import type { ModelInfo } from '../../src/models/model-info.js';
import { ServedModel } from '../../src/models/served-model.js';
import { measure } from '../../src/tune/measure.js';
import type { Measured } from '../../src/tune/measured.js';
import { model, spec } from '../cli/fakes.js';
import { puppetOpen } from '../support/puppet-link.js';

const TEXT = spec('ids', 'int64', 'batch', 'sequence');
const textModel = (more: Partial<ModelInfo> = {}): ModelInfo =>
  model('m', [TEXT], { takesTexts: true, card: cardSchema.parse({ text: { maxTokens: 40 } }), ...more });

/** Lanes whose runs take 1 ms and 0.1 ms a token, twice that while another lane runs too; time is theirs alone. */
const measureIn = async (lanes: number, info: ModelInfo, budgetMs: number): Promise<Measured> => {
  let nowMs = 0;
  let running = 0;
  const clock = { now: () => nowMs, callAt: () => () => undefined };
  const { open } = puppetOpen({
    onPost: (request, link) => {
      if (request.type !== 'run') {
        queueMicrotask(() => link.answer(request));
        return;
      }
      running++;
      setImmediate(() => {
        const ms = (1 + 0.1 * tokensOf(request)) * (running > 1 ? 2 : 1);
        nowMs += ms / lanes;
        link.reply({ type: 'ran', id: request.id, output: { outputs: [], runMs: ms, laneMs: ms } });
        setImmediate(() => running--);
      });
    },
  });
  const nothing = (): void => undefined;
  const pool = new LanePool({ lanes, open, arbiter: new Arbiter(), onRestart: nothing, onFault: nothing });
  await pool.start();
  const metrics = {
    onEvent: nothing,
    laneLost: nothing,
    bindQueue: nothing,
    cached: nothing,
    remove: nothing,
  };
  const coefficients = { alphaMs: 1, betaMsPerToken: 0.1, kneeTokens: 0, quadMsPerTokenSquared: 0 };
  const start = { key: { basis: 'padded' }, coefficients, known: false, sampleLength: 1 } as const;
  const samples: Payload[] = [{ kind: 'text', ids: Int32Array.of(1, 2, 3) }];
  const served = new ServedModel('m#1', info, { clock, pool, metrics, start, samples });
  try {
    return await measure({ model: served, samples, pool, clock, budgetMs });
  } finally {
    await pool.close();
  }
};

const tokensOf = ({ batch }: Extract<LaneRequest, { type: 'run' }>): number =>
  batch.kind === 'texts' ? batch.ids.length : batch.rows;

const msAt = (shapes: Measured['lone'], rows: number, longest: number): number | undefined =>
  shapes.find((shape) => shape.rows === rows && shape.longest === longest)?.p50Ms;

describe('measure', () => {
  it('runs one text at a time in one lane, then all sizes in all lanes at once', async () => {
    const { lone, busy } = await measureIn(2, textModel(), 20_000);
    expect(lone.map(({ rows, longest }) => [rows, longest])).toEqual([
      [1, 8],
      [1, 16],
      [1, 32],
    ]);
    expect(msAt(lone, 1, 8)).toBeCloseTo(1.8, 1);
    expect(msAt(lone, 1, 32)).toBeCloseTo(4.2, 1);
    expect(msAt(busy, 1, 8)).toBeCloseTo(3.6, 1);
    expect(msAt(busy, 16, 32)).toBeCloseTo(104.4, 1);
    expect(Math.max(...busy.map(({ rows }) => rows))).toBe(128);
  });

  it('with a single lane finds the same alone and busy', async () => {
    const { lone, busy } = await measureIn(1, textModel(), 20_000);
    expect(msAt(busy, 1, 16)).toBeCloseTo(msAt(lone, 1, 16) ?? NaN, 6);
  });

  it('has the SLO of the gateway: ten lone runs of a long text, or as configured', async () => {
    // Nothing has come yet, so a long text is as long as the model takes: 40 tokens, 5 ms.
    const { slo } = await measureIn(2, textModel(), 20_000);
    expect(slo.auto).toBe(true);
    expect(slo.ms).toBeGreaterThan(45);
    expect(slo.ms).toBeLessThan(55);
    const { batching } = textModel();
    const configured = await measureIn(2, textModel({ batching: { ...batching, sloMs: 7 } }), 20_000);
    expect(configured.slo).toEqual({ ms: 7, auto: false });
  });

  it('does not join what the model does not join', async () => {
    const batch = { mode: 'single', reason: 'they leak' } as const;
    const { busy, model: tuned } = await measureIn(2, textModel({ batch }), 20_000);
    expect(new Set(busy.map(({ rows }) => rows))).toEqual(new Set([1]));
    expect(tuned).toMatchObject({ maxBatch: 1, growsFreely: false, reason: 'they leak' });
  });

  it('ends with its budget, and says so where that is too short', async () => {
    await expect(measureIn(2, textModel(), 10)).rejects.toThrow(/^m: 0\.01 s were too short.*--budget/);
  });
});
