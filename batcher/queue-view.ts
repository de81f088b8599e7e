import type { QueuedItem } from './types.js';

/** Items and rows that wait. */
export interface QueueView {
  readonly items: number;
  readonly rows: number;
  readonly interactive: number;
  readonly bulk: number;
  /** Items by the power of two that their length rounds up to: `{"16": 3}` is three items of 9 to 16 tokens. */
  readonly byLength: Readonly<Record<string, number>>;
}

export const viewOf = (items: readonly QueuedItem[]): QueueView => {
  const byLength: Record<string, number> = {};
  let rows = 0;
  let bulk = 0;
  for (const item of items) {
    rows += item.rows;
    if (item.bulk) bulk++;
    const bin = String(2 ** Math.ceil(Math.log2(Math.max(1, item.length))));
    byLength[bin] = (byLength[bin] ?? 0) + 1;
  }
  return { items: items.length, rows, interactive: items.length - bulk, bulk, byLength };
};
