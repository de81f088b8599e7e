import type { SeededRandom } from '../chaos/seeded-random.js';
import { hostileKey, hostileValue, RAW_JSON } from './values.js';

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

/** Where a value lies: in an array or an object, or the root in an array of one. */
interface Spot {
  readonly get: () => Json;
  readonly set: (value: Json) => void;
  readonly remove: () => void;
}

/** Elements of one array that are visited: a tensor of 3,000 numbers must not take all the changes. */
const MOST_ELEMENTS = 4;

const spotsOf = (value: Json): Spot[] => {
  if (Array.isArray(value))
    return [...value.keys()].slice(0, MOST_ELEMENTS).flatMap((i) => [
      {
        get: () => value[i] ?? null,
        set: (next) => (value[i] = next),
        remove: () => value.splice(i, 1),
      },
      ...spotsOf(value[i] ?? null),
    ]);
  if (value === null || typeof value !== 'object') return [];
  return Object.keys(value).flatMap((key) => [
    {
      get: () => value[key] ?? null,
      set: (next) => (value[key] = next),
      remove: () => Reflect.deleteProperty(value, key),
    },
    ...spotsOf(value[key] ?? null),
  ]);
};

const isObject = (value: Json): value is JsonObject =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

type Change = (spot: Spot, random: SeededRandom) => void;

const retyped = (value: Json): Json => {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return Number.isNaN(Number(value)) ? value.length : Number(value);
  if (typeof value === 'boolean') return value ? 1 : 'false';
  if (Array.isArray(value)) return Object.fromEntries(value.slice(0, 50).entries());
  return value === null ? {} : Object.entries(value);
};

const nudged = (value: Json, random: SeededRandom): Json => {
  if (typeof value === 'number') return random.pick([-value, value + 1, value - 1, value + 0.5, value * 1e9]);
  if (typeof value === 'string') {
    const at = random.between(0, value.length);
    const odd = random.pick(['\u0000', '\ufeff', '\u202e', '\ud83d', '𝔘', '\n', '"', '%', 'a'.repeat(3_000)]);
    return value.slice(0, at) + odd + value.slice(at);
  }
  return value;
};

const CHANGES: Readonly<Record<string, Change>> = {
  replace: (spot, random) => spot.set(hostileValue(random)),
  remove: (spot) => spot.remove(),
  retype: (spot) => spot.set(retyped(spot.get())),
  nudge: (spot, random) => spot.set(nudged(spot.get(), random)),
  wrap: (spot, random) => spot.set(random.next() < 0.5 ? [spot.get()] : { value: spot.get() }),
  unwrap: (spot) => {
    const value = spot.get();
    if (Array.isArray(value)) spot.set(value[0] ?? null);
    else if (isObject(value)) spot.set(Object.values(value)[0] ?? null);
  },
  addKey: (spot, random) => {
    const value = spot.get();
    if (isObject(value)) defineKey(value, hostileKey(random), hostileValue(random));
  },
  renameKey: (spot, random) => {
    const value = spot.get();
    if (!isObject(value)) return;
    const key = Object.keys(value)[0] ?? '';
    const held = value[key] ?? null;
    Reflect.deleteProperty(value, key);
    defineKey(value, random.pick([key.toUpperCase(), ` ${key}`, hostileKey(random)]), held);
  },
  repeat: (spot, random) => {
    const value = spot.get();
    if (!Array.isArray(value) || value.length === 0 || value.length > 100) return;
    spot.set(Array.from({ length: random.between(2, 400) }, (_, i) => value[i % value.length] ?? null));
  },
};

/** `__proto__` becomes a key, as it does when JSON is parsed. */
const defineKey = (object: JsonObject, key: string, value: Json): void => {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
};

/** A copy with one to three changes anywhere inside. */
export const mutated = (value: Json, random: SeededRandom): Json => {
  const root: Json[] = [structuredClone(value)];
  for (let left = random.between(1, 3); left > 0; left--) {
    const change = CHANGES[random.pick(Object.keys(CHANGES))];
    // Now and then nothing is left to change.
    const spots = spotsOf(root);
    if (spots.length > 0) change?.(random.pick(spots), random);
  }
  return root[0] ?? null;
};

/** As JSON.stringify, but marks of raw pieces become those pieces: `1e400`, `NaN`, `'x'`. */
export const printed = (value: Json): string =>
  JSON.stringify(value).replace(/"@raw(\d+)@"/g, (mark, index: string) => RAW_JSON[Number(index)] ?? mark);
