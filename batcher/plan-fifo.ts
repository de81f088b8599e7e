import { groupOf, oldestOf } from './group.js';
import type { CloseReason, Group, Knobs, Plan, QueuedItem, Snapshot } from './types.js';

/** How many items a plan is shown: enough to fill a batch although neighbours of another shape stand between. */
export const windowSize = (knobs: Knobs): number => Math.min(1024, knobs.maxBatch * 4);

/**
 * First come, first served: the oldest item, and behind it all that fits. Work-conserving: with a lane free and
 * something queued it dispatches, unless the operator asked to hold (`maxWaitMs`).
 *
 *   window   [a:8][b:120][c:9][d:8] …      head = a
 *   group    [a:8][b:120][c:9]             closed by maxBatch, maxBatchTokens or because nothing more is there
 *
 * It stops at the first item that would break a limit instead of looking for a smaller one behind it: nobody is
 * overtaken. Items of another `compat` are stepped over (they could never ride along).
 */
export const planFifo = <T extends QueuedItem>(snapshot: Snapshot<T>, now: number, knobs: Knobs): Plan<T> => {
  const shed = snapshot.window.filter((item) => item.deadlineAt <= now);
  const live = shed.length === 0 ? snapshot.window : snapshot.window.filter((item) => item.deadlineAt > now);
  const head = live[0];
  if (head === undefined) return { shed };

  const group = gather(head, live, knobs);
  const full = group.reason === 'full_rows' || group.reason === 'full_tokens' || group.reason === 'single';
  if (full || snapshot.draining || knobs.maxWaitMs === 0)
    return { shed, group: snapshot.draining && !full ? { ...group, reason: 'drain' } : group };
  const waitUntil = oldestOf(live) + knobs.maxWaitMs;
  if (now < waitUntil) return { shed, wakeAtMs: waitUntil };
  return { shed, group: { ...group, reason: 'max_wait' } };
};

const gather = <T extends QueuedItem>(head: T, live: readonly T[], knobs: Knobs): Group<T> => {
  const items: T[] = [];
  let rows = 0;
  let longest = 0;
  let reason: CloseReason = knobs.join ? 'lane_free' : 'single';
  for (const item of live) {
    if (item.compat !== head.compat) continue;
    const nextRows = rows + item.rows;
    const nextLongest = Math.max(longest, item.length);
    // The head itself always rides, whatever its size: else it would wait for ever.
    if (items.length > 0) {
      if (nextRows > knobs.maxBatch) {
        reason = 'full_rows';
        break;
      }
      if (nextRows * nextLongest > knobs.maxBatchTokens) {
        reason = 'full_tokens';
        break;
      }
    }
    items.push(item);
    rows = nextRows;
    longest = nextLongest;
    if (!knobs.join) break;
    if (rows >= knobs.maxBatch) {
      reason = 'full_rows';
      break;
    }
  }
  return groupOf(items, reason);
};
