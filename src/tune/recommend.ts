import type { LaneLayout } from '../executor/cpu-quota.js';
import type { Capacities } from './capacity.js';
import { layoutText } from './layouts.js';
import type { TunedModel } from './measured.js';

/** A layout with what decides about it. */
export interface Candidate {
  readonly layout: LaneLayout;
  readonly capacity: Pick<Capacities, 'cost'>;
  /** Lone run of the largest shape that was measured alone in every layout, milliseconds. */
  readonly loneLongMs: number;
}

/** Capacities this near are equal: neither the measurement nor the simulation is better. */
const TIE = 0.03;

/** Most capacity at the SLO; of those within 3 % of it the one that answers a lone caller soonest. */
export const chooseLayout = <T extends Candidate>(candidates: readonly T[]): T => {
  const most = Math.max(...candidates.map(({ capacity }) => capacity.cost));
  const equal = candidates.filter(({ capacity }) => capacity.cost >= most * (1 - TIE));
  return equal.reduce((best, each) => (each.loneLongMs < best.loneLongMs ? each : best));
};

/**
 * Why that one, in a sentence.
 * @param within what capacities count, as `texts/s within 50 ms`
 */
export const layoutReason = (chosen: Candidate, all: readonly Candidate[], within: string): string => {
  const name = layoutText(chosen.layout);
  const rate = `${chosen.capacity.cost.toFixed(0)} ${within}`;
  const [next] = all.filter((each) => each !== chosen).sort((a, b) => b.capacity.cost - a.capacity.cost);
  if (next === undefined) return `${name} is all that there is room for: ${rate}.`;
  const other = layoutText(next.layout);
  if (chosen.capacity.cost * (1 - TIE) > next.capacity.cost)
    return `${name}: most capacity, ${rate}, ${(chosen.capacity.cost / next.capacity.cost).toFixed(2)}× of ${other}.`;
  const lone = `${msText(chosen.loneLongMs)} for a lone caller, ${other} ${msText(next.loneLongMs)}`;
  return `${name}: within ${TIE * 100} % of the most capacity, ${rate}, and the quickest of those (${lone}).`;
};

export type BatchKnobs = Pick<TunedModel, 'maxBatch' | 'maxBatchTokens'>;

/** Rows that are measured, so the most that is recommended. */
export const MOST_ROWS = 256;

/** Larger limits than the model has now, in the order in which they are tried; none where rows are not joined freely. */
export const largerKnobs = (model: TunedModel): BatchKnobs[] => {
  const { maxBatch, maxBatchTokens, maxTokens, takesTexts, growsFreely } = model;
  if (!growsFreely) return [];
  const larger: BatchKnobs[] = [];
  for (let rows = 2 * maxBatch; rows <= MOST_ROWS; rows *= 2) larger.push({ maxBatch: rows, maxBatchTokens });
  const most = Math.max(maxBatch, MOST_ROWS);
  if (takesTexts && most * maxTokens > maxBatchTokens)
    larger.push({ maxBatch: most, maxBatchTokens: 4 * maxBatchTokens });
  return larger;
};

export interface Rated {
  readonly knobs: BatchKnobs;
  readonly capacity: number;
}

/** The limits as they are, unless larger ones serve 3 % more; larger ones yet must serve 3 % more than those. */
export const chooseKnobs = async (
  now: Rated,
  larger: readonly BatchKnobs[],
  capacityWith: (knobs: BatchKnobs) => Promise<number>,
): Promise<Rated> => {
  let best = now;
  for (const knobs of larger) {
    const capacity = await capacityWith(knobs);
    if (capacity > best.capacity * (1 + TIE)) best = { knobs, capacity };
  }
  return best;
};

/** Why larger limits; empty where they stay. */
export const knobsReason = (now: Rated, chosen: Rated): string => {
  if (chosen === now || chosen.capacity === now.capacity) return '';
  const { maxBatch, maxBatchTokens } = chosen.knobs;
  const tokens = maxBatchTokens === now.knobs.maxBatchTokens ? '' : ` and ${maxBatchTokens} tokens`;
  const times = (chosen.capacity / now.capacity).toFixed(2);
  return `Runs of up to ${maxBatch} rows${tokens} serve ${times}× of that.`;
};

/** `12.3 ms` */
export const msText = (ms: number): string => `${Number(ms.toPrecision(3))} ms`;
