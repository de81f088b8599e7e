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
