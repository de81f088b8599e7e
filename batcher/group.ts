import type { CloseReason, Group, QueuedItem } from './types.js';

/** A batch of these items, in this order, and its sizes. */
export const groupOf = <T extends QueuedItem>(items: readonly T[], reason: CloseReason): Group<T> => {
  let rows = 0;
  let tokens = 0;
  let longest = 0;
  for (const item of items) {
    rows += item.rows;
    tokens += item.rows * item.length;
    longest = Math.max(longest, item.length);
  }
  return { items, rows, tokens, longest, paddedTokens: rows * longest, reason };
};

/** When the one that has waited longest arrived; it need not be the first by key. Infinity for none. */
export const oldestOf = (items: readonly QueuedItem[]): number =>
  items.reduce((oldest, { arrivedAt }) => Math.min(oldest, arrivedAt), Infinity);
