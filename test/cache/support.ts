import type { Item, Ride, Ticket } from '#batcher';
import { MemoryStore } from '../../src/cache/memory-store.js';
import { ModelCache } from '../../src/cache/model-cache.js';
import type { RedisStore } from '../../src/cache/redis-store.js';
import type { SubmitItems } from '../../src/cache/ride-cached.js';
import type { Payload } from '../../src/executor/join.js';
import type { ItemOutput } from '../../src/infer.js';
import type { Signature } from '../../src/models/signature.js';

export const SIGNATURE: Signature = {
  inputs: [{ name: 'input_ids', dtype: 'int64', shape: ['batch', 'sequence'] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 'sequence'] }],
};

/** A text of one token. */
export const itemOf = (id: number): Item<Payload> => ({
  rows: 1,
  length: 1,
  compat: 'texts',
  payload: { kind: 'text', ids: Int32Array.from([id]) },
});

export const itemsOf = (...ids: number[]): Item<Payload>[] => ids.map(itemOf);

/** The answer to `itemOf(id)`: ten times the id, and padding that is not its own. */
const answerTo = ({ payload }: Item<Payload>): ItemOutput => {
  const id = payload.kind === 'text' ? (payload.ids[0] ?? 0) : 0;
  return { outputs: [{ dtype: 'float32', dims: [1, 2], data: Float32Array.from([10 * id, -1]) }] };
};

/** Answers at once, unless told to refuse. */
export class FakeBatcher {
  /** Ids of each submit. */
  readonly submits: number[][] = [];
  refusal: Error | undefined;
  failure: Error | undefined;
  cancelled = 0;

  readonly submit: SubmitItems = (items, onRide): Ticket<ItemOutput> => {
    if (this.refusal !== undefined) throw this.refusal;
    this.submits.push(items.map(({ payload }) => (payload.kind === 'text' ? (payload.ids[0] ?? 0) : 0)));
    const rides = items.map((item): Ride<ItemOutput> => ({
      value: answerTo(item),
      queueMs: 1,
      runMs: 2,
      groupRows: items.length,
    }));
    const ride = async (): Promise<Ride<ItemOutput>[]> => {
      await Promise.resolve();
      if (this.failure !== undefined) throw this.failure;
      for (const [index, one] of rides.entries()) onRide?.(index, one);
      return rides;
    };
    return { rides: ride(), cancel: () => (this.cancelled += 1) };
  };
}

/** First value of the first output of each. */
export const firstOf = (rides: readonly Ride<ItemOutput>[]): unknown[] =>
  rides.map(({ value }) => value.outputs[0]?.data[0]);

export interface World {
  readonly cache: ModelCache;
  readonly memory: MemoryStore;
  /** Moves both clocks. */
  advance(ms: number): void;
  corrupt(): number;
}

export const makeWorld = (
  options: { readonly ttlMs?: number; readonly maxBytes?: number; readonly redis?: RedisStore } = {},
): World => {
  const { ttlMs = 10_000, maxBytes = 1_000_000, redis } = options;
  let now = 0;
  let corrupt = 0;
  const memory = new MemoryStore(maxBytes, () => now);
  const stores = { memory, redis, unixNow: () => 1_700_000_000_000 + now, onCorrupt: () => (corrupt += 1) };
  return {
    memory,
    cache: new ModelCache(stores, { fingerprint: 'v1', signature: SIGNATURE, hasRows: true, ttlMs }),
    advance: (ms) => (now += ms),
    corrupt: () => corrupt,
  };
};
