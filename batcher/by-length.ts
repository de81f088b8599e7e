import type { Composable } from './compose.js';
import type { QueuedItem } from './types.js';

/** Lengths within 1/16 of each other count as equal: the order of arrival decides among them. */
const LENGTH_STEPS_LOG2 = 4;
const LENGTH_STEPS = 2 ** LENGTH_STEPS_LOG2;

/** An item where composing finds it. */
export interface Placed<T> extends Composable {
  readonly item: T;
}

/** Those of one shape by quantised length, then as they stood. Numbers sort faster than a comparison function. */
export const sortedByLength = <T extends QueuedItem>(
  items: readonly T[],
  compat: string,
  age: (item: T) => number,
): Placed<T>[] => {
  const n = items.length;
  const places: number[] = [];
  for (let i = 0; i < n; i++) {
    const item = items[i];
    if (item?.compat === compat) places.push(quantised(item.length) * n + i);
  }
  const sorted: Placed<T>[] = [];
  for (const place of new Float64Array(places).sort()) {
    const item = items[place % n];
    if (item === undefined) continue;
    sorted.push({ item, rows: item.rows, length: Math.floor(place / n), age: age(item) });
  }
  return sorted;
};

/**
 * The split may start or end among items of equal length; nobody is overtaken there: the earliest of that length ride, as
 * many rows of them as the split has. `sorted` keeps the order of keys among equal lengths, so a group that starts in
 * their midst is shifted to their front.
 */
export const earliestOfEdge = <T extends QueuedItem>(
  sorted: readonly { readonly item: T; readonly rows: number; readonly length: number }[],
  from: number,
  to: number,
): T[] => {
  const first = sorted[from]?.length;
  let start = from;
  while (start > 0 && sorted[start - 1]?.length === first) start--;
  let end = from;
  let rows = 0;
  while (end < to && sorted[end]?.length === first) rows += sorted[end++]?.rows ?? 0;
  const edge = sorted.slice(start, end).filter((place) => {
    if (place.rows > rows) return false;
    rows -= place.rows;
    return true;
  });
  return [...edge, ...sorted.slice(end, to)].map(({ item }) => item);
};

/** Rounded up to the next of 16 steps of its power of two; up to 16 exact. */
const quantised = (length: number): number => {
  if (length <= LENGTH_STEPS) return Math.ceil(length);
  const step = 2 ** (31 - Math.clz32(length) - LENGTH_STEPS_LOG2);
  return Math.ceil(length / step) * step;
};
