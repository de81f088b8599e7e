import type { LaneLayout } from '../executor/cpu-quota.js';

/** Wider lanes than these gain little for a model that is worth batching; the one lane over all cores is tried anyway. */
const THREADS: readonly number[] = [1, 2, 4, 8];

/**
 * The layouts worth measuring on a number of cores: from many narrow lanes to one wide one, and the smallest of all.
 *
 *   16 cores   16x1  8x2  4x4  2x8  1x16  1x1
 */
export const candidateLayouts = (cores: number): LaneLayout[] => {
  const whole = Math.max(1, Math.floor(cores));
  const shared = THREADS.map((intraOpThreads) => ({
    count: Math.floor(whole / intraOpThreads),
    intraOpThreads,
  })).filter(({ count }) => count >= 2);
  const one = { count: 1, intraOpThreads: 1 };
  return whole === 1 ? [one] : [...shared, { count: 1, intraOpThreads: whole }, one];
};

/** `2 lanes × 1 thread` */
export const layoutText = ({ count, intraOpThreads }: LaneLayout): string =>
  `${plural(count, 'lane')} × ${plural(intraOpThreads, 'thread')}`;

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
