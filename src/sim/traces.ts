import type { LengthLaw } from './lengths.js';
import { exponential, seededRandom, type Random } from './random.js';

/** One request: its rows arrive together and are answered together. */
export interface SimRequest {
  /** Open loop: when it comes. Closed loop: how long its client thinks before it. Milliseconds. */
  readonly atMs: number;
  /** Tokens of each row; at least one row. */
  readonly lengths: readonly number[];
  /** Whom it is charged to; absent = one caller for all. */
  readonly caller?: string;
}

export interface TraceOptions {
  readonly requests: number;
  readonly lengths: LengthLaw;
  readonly seed: number;
  /** Rows of every request; default 1. */
  readonly rows?: number;
}

/** Lengths and gaps are drawn apart, so that the same seed gives the same texts at any rate. */
const build = (options: TraceOptions, nextAt: (random: Random) => number): SimRequest[] => {
  const { requests, lengths, seed, rows = 1 } = options;
  const gaps = seededRandom(seed);
  const texts = seededRandom(seed ^ 0x5bd1e995);
  return Array.from({ length: requests }, () => ({
    atMs: nextAt(gaps),
    lengths: Array.from({ length: rows }, () => lengths.draw(texts)),
  }));
};

/** Independent callers: exponential gaps. */
export const poissonTrace = (options: TraceOptions, ratePerS: number): SimRequest[] => {
  let atMs = 0;
  return build(options, (random) => (atMs += (exponential(random) * 1000) / ratePerS));
};

export interface Bursts {
  /** Rates in a burst and outside of it, as factors of the mean rate; the mean must lie between them. */
  readonly high: number;
  readonly low: number;
  /** Mean length of a burst. */
  readonly meanBurstMs: number;
}

const BURSTS: Bursts = { high: 4, low: 0.4, meanBurstMs: 200 };

/** Bursts: a Poisson process whose rate jumps between two levels (a Markov-modulated Poisson process). */
export const burstyTrace = (options: TraceOptions, ratePerS: number, bursts = BURSTS): SimRequest[] => {
  const { high, low, meanBurstMs } = bursts;
  // Share p of the time in bursts, so that p * high + (1 - p) * low = 1.
  const share = (1 - low) / (high - low);
  const meanCalmMs = (meanBurstMs * (1 - share)) / share;
  let atMs = 0;
  let inBurst = false;
  let untilMs = 0;
  return build(options, (random) => {
    for (;;) {
      const gapMs = (exponential(random) * 1000) / (ratePerS * (inBurst ? high : low));
      if (atMs + gapMs <= untilMs) return (atMs += gapMs);
      // Exponential gaps have no memory: what is left of this one may be drawn anew at the new rate.
      atMs = untilMs;
      inBurst = !inBurst;
      untilMs = atMs + exponential(random) * (inBurst ? meanBurstMs : meanCalmMs);
    }
  });
};

/** Think times for a closed loop: exponential with this mean; 0 = none. */
export const closedTrace = (options: TraceOptions, meanThinkMs: number): SimRequest[] =>
  build(options, (random) => exponential(random) * meanThinkMs);

/** Puts a large request of `caller` "bulk" into an open trace every `everyMs`. */
export const withBulk = (
  trace: readonly SimRequest[],
  { rows, everyMs, lengths, seed }: { rows: number; everyMs: number; lengths: LengthLaw; seed: number },
): SimRequest[] => {
  const random = seededRandom(seed);
  const endMs = trace.at(-1)?.atMs ?? 0;
  const bulk: SimRequest[] = [];
  for (let atMs = everyMs; atMs < endMs; atMs += everyMs)
    bulk.push({
      atMs,
      lengths: Array.from({ length: rows }, () => lengths.draw(random)),
      caller: BULK_CALLER,
    });
  return [...trace, ...bulk].sort((a, b) => a.atMs - b.atMs);
};

export const BULK_CALLER = 'bulk';
