import { areaOf, CostModel, costMs, type CostCoefficients, type RunShape } from '#batcher';
import { describe, expect, it } from '@jest/globals';
import { seededNumbers } from '../support/seeded-numbers.js';

const TRUTH: CostCoefficients = {
  alphaMs: 1,
  betaMsPerToken: 0.06,
  kneeTokens: 0,
  quadMsPerTokenSquared: 3e-5,
};
const GUESS: CostCoefficients = {
  alphaMs: 0.1,
  betaMsPerToken: 0.01,
  kneeTokens: 0,
  quadMsPerTokenSquared: 0,
};

const shapeOf = (rows: number, longest: number): RunShape => ({ rows, tokens: rows * longest, longest });
const trueMs = (shape: RunShape, truth = TRUTH): number =>
  costMs(truth, areaOf('padded', shape), shape.longest);

/** Runs of mixed shapes, `noise` = relative standard deviation; now and then one that takes five times as long. */
const teach = (
  model: CostModel,
  runs: number,
  { truth = TRUTH, speed = 1, noise = 0.05, bursts = 0, seed = 1 } = {},
): void => {
  const random = seededNumbers(seed);
  for (let i = 0; i < runs; i++) {
    const shape = shapeOf(1 + Math.floor(random() * 8), 4 + Math.floor(random() * 124));
    const jitter = Math.exp(noise * (random() + random() + random() - 1.5) * 2);
    model.observe(shape, trueMs(shape, truth) * speed * jitter * (random() < bursts ? 5 : 1));
  }
};

const errorOf = (model: CostModel, truth = TRUTH, speed = 1): number => {
  const shapes = [1, 4, 8].flatMap((rows) => [8, 32, 128].map((length) => shapeOf(rows, length)));
  const errors = shapes.map((shape) => Math.abs(model.predict(shape) / (speed * trueMs(shape, truth)) - 1));
  return errors.reduce((sum, error) => sum + error, 0) / errors.length;
};

describe('the cost model', () => {
  it('is within 10 % after 200 runs, from a guess ten times off', () => {
    const model = new CostModel('padded', GUESS);
    teach(model, 200);
    expect(errorOf(model)).toBeLessThan(0.1);
    expect(model.fit.error).toBeLessThan(0.1);
  });

  it('bears another tenant: one run in twenty takes five times as long', () => {
    const model = new CostModel('padded', GUESS);
    teach(model, 400, { bursts: 0.05 });
    expect(errorOf(model)).toBeLessThan(0.35);
  });

  it.each([3, 1 / 3])('learns within 50 runs that the machine is %s times as slow', (speed) => {
    const model = new CostModel('padded', GUESS);
    teach(model, 300);
    teach(model, 50, { speed, seed: 2 });
    expect(errorOf(model, TRUTH, speed)).toBeLessThan(0.25);
  });

  it('finds the knee up to which tokens are free', () => {
    const truth = { alphaMs: 3, betaMsPerToken: 0.02, kneeTokens: 256, quadMsPerTokenSquared: 0 };
    const model = new CostModel('padded', GUESS);
    teach(model, 600, { truth });
    expect(errorOf(model, truth)).toBeLessThan(0.1);
    expect(model.fit.coefficients.kneeTokens).toBeGreaterThanOrEqual(128);
  });

  it('keeps what was calibrated while traffic shows one shape only', () => {
    const model = new CostModel('padded', GUESS);
    teach(model, 200);
    model.calibrated(
      [1, 4, 16]
        .flatMap((rows) => [8, 64].map((length) => shapeOf(rows, length)))
        .map((shape) => ({ shape, ms: trueMs(shape) })),
    );
    const random = seededNumbers(5);
    for (let i = 0; i < 2_000; i++)
      model.observe(shapeOf(1, 16), trueMs(shapeOf(1, 16)) * (0.95 + 0.1 * random()));
    expect(errorOf(model)).toBeLessThan(0.3);
  });

  it.each([
    ['a wait at random', (random: number) => (random < 0.6 ? 16 * random : 0)],
    ['always the same wait', () => 3],
  ])('keeps its shape where runs of long texts wait for a core: %s', (_, waitMs) => {
    const model = CostModel.known('padded', TRUTH);
    const random = seededNumbers(3);
    for (let i = 0; i < 3_000; i++) {
      const shape = shapeOf(1, 137 + Math.floor(random() * 110));
      model.observe(shape, trueMs(shape) + waitMs(random()));
    }
    const { alphaMs, betaMsPerToken } = model.fit.coefficients;
    const ratio = alphaMs / betaMsPerToken / (TRUTH.alphaMs / TRUTH.betaMsPerToken);
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(1.5);
  });

  it('believes a calibration whole, whatever it had learnt before', () => {
    // Rows below the knee cost the same: what one run after the other teaches can end at a wrong knee.
    const truth = { alphaMs: 0.2, betaMsPerToken: 0.004, kneeTokens: 8, quadMsPerTokenSquared: 0 };
    const model = new CostModel('rows', GUESS);
    const shapes = [1, 2, 4, 8, 16, 32, 64].map((rows) => ({ rows, tokens: rows, longest: 1 }));
    const ms = ({ rows }: RunShape): number => costMs(truth, rows, 1);
    for (let i = 0; i < 100; i++) model.observe(shapes[i % 7] ?? shapeOf(1, 1), 30);
    model.calibrated(shapes.map((shape) => ({ shape, ms: ms(shape) })));
    for (const shape of shapes) expect(model.predict(shape) / ms(shape)).toBeCloseTo(1, 2);
    expect(model.fit.error).toBeLessThan(0.01);
  });

  it('never believes in negative costs, and ignores broken clocks', () => {
    const model = new CostModel('padded', GUESS);
    for (const ms of [0, -1, NaN, Infinity]) model.observe(shapeOf(2, 9), ms);
    expect(model.fit.runs).toBe(0);
    teach(model, 100, { noise: 2 });
    for (const value of Object.values(model.fit.coefficients)) expect(value).toBeGreaterThanOrEqual(0);
  });

  it('counts rows, padded or packed tokens, by its basis', () => {
    const shape = { rows: 3, tokens: 20, longest: 10 };
    expect((['rows', 'padded', 'packed'] as const).map((basis) => areaOf(basis, shape))).toEqual([3, 30, 20]);
  });
});
