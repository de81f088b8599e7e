import { areaOf, costMs, KNEES, type CostBasis, type CostCoefficients, type RunShape } from './cost.js';
import { fitCost, type CostSample } from './fit-cost.js';
import {
  addSample,
  emptyEquations,
  fitNonNegative,
  type NormalEquations,
  type Terms,
} from './least-squares.js';

/** What is known of a model's cost; plain data, for metadata, metrics and the cache file. */
export interface CostFit {
  readonly basis: CostBasis;
  readonly coefficients: CostCoefficients;
  /** Mean of |predicted - measured| / measured over recent runs; 0 before there were any. */
  readonly error: number;
  /** Runs seen, calibration included. */
  readonly runs: number;
}

/** What a run still weighs after each later one: half after 140. The shape of a model's cost changes slowly. */
const SHAPE_MEMORY = 0.995;
/** Share of a surprise that the speed takes over at once: a lane that turns 3x slower is learnt in some 20 runs. */
const SPEED_GAIN = 0.15;
/** Largest surprise that counts, as a factor: one run behind another tenant's burst says little. */
const SPEED_STEP = 2;
const SHAPE_STEP = 1.5;
/** Runs before surprises are bounded: the first ones may be far from the prior, and right. */
const TRUST_AFTER = 8;
/** A new knee must fit this much better than the one in use. */
const KNEE_GAIN = 0.9;
/** Solving after every run would cost more than it tells. */
const REFIT_EVERY = 8;
/** Pull towards a guess, in runs of the some 200 that count: it holds what has not been seen. */
const GUESS_PULL = 1;
/**
 * Pull towards calibrated coefficients. Traffic shows few shapes, and on a busy machine runs wait for a core: left to
 * themselves, fits of such runs drift to four times the alpha that idle lanes have, or to none, and plans that trust them
 * join what should run alone, or nothing. The speed, which does change, is learnt apart; the knee stays.
 */
const CALIBRATED_PULL = 400;
const ERROR_GAIN = 0.05;

/**
 * Learns the coefficients from measured runs, on two time scales: a speed, one factor on all of them, follows the
 * machine within some twenty runs; the shape (the coefficients at speed 1) follows slowly, by faded normal equations
 * with a ridge, one set for each knee. Errors are relative, as the noise is.
 */
export class CostModel {
  readonly basis: CostBasis;
  #equations = equations();
  #prior: CostCoefficients;
  #shape: CostCoefficients;
  #pull = GUESS_PULL;
  #logSpeed = 0;
  #runs = 0;
  #error = 0;

  /** @param prior what to believe before anything has run */
  constructor(basis: CostBasis, prior: CostCoefficients) {
    this.basis = basis;
    this.#prior = prior;
    this.#shape = prior;
  }

  /** A model that believes these coefficients from the start, as if they had been calibrated. */
  static known(basis: CostBasis, coefficients: CostCoefficients): CostModel {
    const model = new CostModel(basis, coefficients);
    model.#runs = TRUST_AFTER;
    model.#pull = CALIBRATED_PULL;
    model.#equations = equations([coefficients.kneeTokens]);
    return model;
  }

  /** More than a guess: it has been measured, or enough has run. */
  get trusted(): boolean {
    return this.#runs >= TRUST_AFTER;
  }

  /** Milliseconds that a run of this shape is expected to take. */
  predict(shape: RunShape): number {
    return Math.exp(this.#logSpeed) * costMs(this.#shape, areaOf(this.basis, shape), shape.longest);
  }

  get fit(): CostFit {
    const speed = Math.exp(this.#logSpeed);
    return {
      basis: this.basis,
      coefficients: {
        alphaMs: this.#shape.alphaMs * speed,
        betaMsPerToken: this.#shape.betaMsPerToken * speed,
        kneeTokens: this.#shape.kneeTokens,
        quadMsPerTokenSquared: this.#shape.quadMsPerTokenSquared * speed,
      },
      error: this.#error,
      runs: this.#runs,
    };
  }

  /** Takes one measured run in. A time that is not positive (a broken clock) is ignored. */
  observe(shape: RunShape, measuredMs: number): void {
    if (!(measuredMs > 0) || measuredMs === Infinity) return;
    this.#runs++;
    const trusted = this.#runs > TRUST_AFTER;
    const predictedMs = Math.max(Number.MIN_VALUE, this.predict(shape));
    if (trusted) {
      const error = Math.abs(predictedMs - measuredMs) / measuredMs;
      this.#error += (this.#error === 0 ? 1 : ERROR_GAIN) * (error - this.#error);
      this.#logSpeed += SPEED_GAIN * Math.log(bounded(measuredMs / predictedMs, SPEED_STEP));
    }
    const area = areaOf(this.basis, shape);
    const expected = Math.max(Number.MIN_VALUE, costMs(this.#shape, area, shape.longest));
    const seen = measuredMs / Math.exp(this.#logSpeed);
    this.#learn(area, shape.longest, trusted ? expected * bounded(seen / expected, SHAPE_STEP) : seen);
  }

  #learn(area: number, longest: number, ms: number): void {
    this.#add(area, longest, ms);
    if (this.#runs <= TRUST_AFTER || this.#runs % REFIT_EVERY === 0) this.#refit();
  }

  #add(area: number, longest: number, ms: number): void {
    // Rows of fixed shape have no length: the quadratic term would only repeat the linear one.
    const quadratic = this.basis === 'rows' ? 0 : area * longest;
    for (const { knee, sums } of this.#equations)
      addSample(sums, [1, Math.max(0, area - knee), quadratic], ms, 1 / (ms * ms), SHAPE_MEMORY);
  }

  #refit(): void {
    const fits = this.#equations.map(({ knee, sums }) => {
      const fit = fitNonNegative(sums, termsOf(this.#prior), this.#pull, termsOf(this.#shape));
      return { knee, ...fit };
    });
    const current = fits.find(({ knee }) => knee === this.#shape.kneeTokens);
    const best = fits.reduce((a, b) => (b.loss < a.loss ? b : a));
    const { knee, terms } = current === undefined || best.loss < current.loss * KNEE_GAIN ? best : current;
    this.#shape = {
      alphaMs: terms[0],
      betaMsPerToken: terms[1],
      kneeTokens: knee,
      quadMsPerTokenSquared: terms[2],
    };
  }

  /** A measurement of idle lanes is complete: it takes the place of all that was believed, and later runs are pulled to it. */
  calibrated(samples: readonly CostSample[]): void {
    const { coefficients, error } = fitCost(this.basis, samples);
    this.#prior = this.#shape = coefficients;
    this.#pull = CALIBRATED_PULL;
    this.#logSpeed = 0;
    this.#error = error;
    this.#runs = Math.max(this.#runs, TRUST_AFTER);
    this.#equations = equations([coefficients.kneeTokens]);
    for (const { shape, ms } of samples) this.#add(areaOf(this.basis, shape), shape.longest, ms);
  }
}

/** One set for each knee. */
const equations = (
  knees: readonly number[] = KNEES,
): readonly { readonly knee: number; readonly sums: NormalEquations }[] =>
  knees.map((knee) => ({ knee, sums: emptyEquations() }));

const termsOf = (c: CostCoefficients): Terms => [c.alphaMs, c.betaMsPerToken, c.quadMsPerTokenSquared];

/** `factor` kept within [1 / most, most]. */
const bounded = (factor: number, most: number): number => Math.min(most, Math.max(1 / most, factor));
