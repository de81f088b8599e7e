import { costMs } from '#batcher';
import { seededRandom } from './random.js';
import type { Setting } from './setting.js';

/** Items that are known at once; enough that the answer hardly depends on it. */
const ITEMS = 20_000;
/** Longest group looked at; no regime wants more. */
const MAX_GROUP = 512;
const SEED = 99;

/**
 * Requests a second that no rule can exceed with rectangular tensors: all items known, sorted by length, the optimal
 * contiguous split (TurboTransformers, PPoPP'21), neither arrivals nor an SLO nor `maxBatch`.
 */
export const offlineCapacity = (setting: Setting, items = ITEMS): number => {
  const lengths = sortedLengths(setting, items);
  const n = lengths.length;
  const least = new Float64Array(n + 1);
  for (let to = 1; to <= n; to++) {
    const longest = lengths[to - 1] ?? 0;
    let best = Infinity;
    for (let from = to - 1; from >= Math.max(0, to - MAX_GROUP); from--)
      best = Math.min(best, (least[from] ?? 0) + costMs(setting.cost, (to - from) * longest, longest));
    least[to] = best;
  }
  return perSecond(n, least[n] ?? 0, setting);
};

/** The same with one row limit and one token limit for all groups, the best of a grid: what fixed knobs could reach. */
export const bestLimitsCapacity = (setting: Setting, items = ITEMS): number => {
  const lengths = sortedLengths(setting, items);
  let best = 0;
  for (let rows = 1; rows <= MAX_GROUP; rows *= 2)
    for (let tokens = 128; tokens <= 131_072; tokens *= 2)
      best = Math.max(best, perSecond(lengths.length, cutMs(lengths, rows, tokens, setting), setting));
  return best;
};

/** Lane time of a sorted list cut wherever the next item would break a limit. */
const cutMs = (lengths: Float64Array, rows: number, tokens: number, { cost }: Setting): number => {
  let ms = 0;
  let size = 0;
  let longest = 0;
  for (const length of lengths) {
    if (size > 0 && (size + 1 > rows || (size + 1) * length > tokens)) {
      ms += costMs(cost, size * longest, longest);
      size = 0;
    }
    size++;
    longest = length;
  }
  return ms + costMs(cost, size * longest, longest);
};

const sortedLengths = ({ lengths }: Setting, items: number): Float64Array => {
  const random = seededRandom(SEED);
  return Float64Array.from({ length: items }, () => lengths.draw(random)).sort();
};

const perSecond = (items: number, ms: number, { lanes }: Setting): number => (lanes * items * 1000) / ms;
