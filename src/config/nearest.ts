import { distance } from 'fastest-levenshtein';

/** `max_batch`, `maxbatch` and `max-batch` all mean `maxBatch`. */
const plain = (text: string): string => text.toLowerCase().replace(/[-_\s]/g, '');

/** Typing errors that still count as the same word, by its length; two letters swapped are two errors. */
const tolerated = (length: number): number => (length < 4 ? 1 : Math.max(2, Math.floor(length / 3)));

/**
 * The candidate that was most likely meant; undefined when none is near. A name cut short (`bodyLimit` for
 * `bodyLimitBytes`: the forgotten unit) counts as near, however long the rest.
 */
export const nearest = (text: string, candidates: readonly string[]): string | undefined => {
  const wanted = plain(text);
  let best: string | undefined;
  let bestCost = Infinity;
  for (const candidate of candidates) {
    const offered = plain(candidate);
    const cutShort = wanted.length >= 3 && offered.startsWith(wanted);
    const errors = distance(wanted, offered);
    const cost = cutShort ? Math.min(errors, 1) : errors;
    if (cost < bestCost && cost <= tolerated(Math.max(wanted.length, offered.length))) {
      best = candidate;
      bestCost = cost;
    }
  }
  return best;
};
