import type { Item, Ride, Ticket } from '#batcher';
import type { Payload } from '../executor/join.js';
import type { CacheUse, ItemOutput } from '../infer.js';
import { cacheUseOf } from './cache-use.js';
import type { Looked, ModelCache } from './model-cache.js';
import type { CachePolicy } from './policy.js';

type OnRide = (index: number, ride: Ride<ItemOutput>) => void;

/** The batcher's side: takes the items that the cache has no answer for. @throws what the batcher refuses them with */
export type SubmitItems = (items: readonly Item<Payload>[], onRide?: OnRide) => Ticket<ItemOutput>;

export interface CachedTicket {
  readonly ticket: Ticket<ItemOutput>;
  readonly use: CacheUse;
}

/**
 * Answers items from the cache, and lets only the others ride:
 *
 *   items ─┬─ hit  ──────────────────────────┬─▶ rides, in the order of the items
 *          └─ miss ─▶ submit ─▶ lane ─▶ keep ┘
 *
 * A request whose misses are refused is refused whole, as without a cache.
 */
export const rideCached = async (
  cache: ModelCache,
  items: readonly Item<Payload>[],
  policy: CachePolicy,
  submit: SubmitItems,
  onRide?: OnRide,
): Promise<CachedTicket> => {
  if (!policy.reads && !policy.writes)
    return { ticket: submit(items, onRide), use: { result: 'bypass', hitRows: 0, missRows: 0 } };
  const looked = await cache.look(items, policy);
  const misses = [...looked.entries()].filter(([, { found }]) => found === undefined).map(([index]) => index);
  const use = useOf(items, looked);
  const keep = policy.writes ? keeperOf(cache, items, looked, misses) : undefined;
  const ticket =
    misses.length === 0
      ? undefined
      : submit(
          misses.flatMap((index) => items[index] ?? []),
          onRide && ((miss, ride) => onRide(misses[miss] ?? 0, ride)),
        );
  // Only now: a refused request has no answers.
  if (onRide !== undefined)
    for (const [index, { found }] of looked.entries())
      if (found !== undefined) onRide(index, rideOf(found.value));
  const merged = async (): Promise<Ride<ItemOutput>[]> => {
    const ridden = (await ticket?.rides) ?? [];
    keep?.(ridden);
    if (misses.length === items.length) return ridden;
    const rides = looked.map(({ found }) => found && rideOf(found.value));
    for (const [miss, index] of misses.entries()) rides[index] = ridden[miss];
    return rides.flatMap((ride) => ride ?? []);
  };
  return { ticket: { rides: merged(), cancel: () => ticket?.cancel() }, use };
};

/** It has neither waited nor run. */
const rideOf = (value: ItemOutput): Ride<ItemOutput> => ({ value, queueMs: 0, runMs: 0, groupRows: 0 });

const keeperOf =
  (
    cache: ModelCache,
    items: readonly Item<Payload>[],
    looked: readonly Looked[],
    misses: readonly number[],
  ) =>
  (rides: readonly Ride<ItemOutput>[]): void =>
    void cache.keep(
      misses.flatMap((index, miss) => {
        const [item, ride, key] = [items[index], rides[miss], looked[index]?.key];
        if (item === undefined || ride === undefined || key === undefined) return [];
        return { key, payload: item.payload, value: ride.value };
      }),
    );

const useOf = (items: readonly Item<Payload>[], looked: readonly Looked[]): CacheUse => {
  let [hitRows, missRows, ageMs] = [0, 0, 0];
  for (const [index, { found }] of looked.entries()) {
    const rows = items[index]?.rows ?? 0;
    if (found === undefined) missRows += rows;
    else {
      hitRows += rows;
      ageMs = Math.max(ageMs, found.ageMs);
    }
  }
  return cacheUseOf(hitRows, missRows, ageMs);
};
