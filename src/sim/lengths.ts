import { normal, type Random } from './random.js';

/** Draws the length of one row, in tokens. */
export interface LengthLaw {
  readonly name: string;
  readonly draw: (random: Random) => number;
}

/** What most encoders take at most. */
const MAX_LENGTH = 512;

/** Lengths whose logarithm is normal; rounded, at least 1, cut at `most`. */
export const lognormalLengths = (median: number, sigma: number, most = MAX_LENGTH): LengthLaw => ({
  name: `lognormal ${median}/${sigma}`,
  draw: (random) => Math.max(1, Math.min(most, Math.round(median * Math.exp(sigma * normal(random))))),
});

export const fixedLengths = (length: number): LengthLaw => ({
  name: `fixed ${length}`,
  draw: () => length,
});

/** Lengths as they were seen: drawn from a list, each as often as it stands there. */
export const seenLengths = (seen: readonly number[]): LengthLaw => ({
  name: `${seen.length} seen lengths`,
  draw: (random) => seen[Math.floor(random() * seen.length)] ?? 1,
});

/** A law cut at `most`: what a model sees of texts that it truncates. */
export const clippedLengths = ({ name, draw }: LengthLaw, most: number): LengthLaw => ({
  name: `${name}, at most ${most}`,
  draw: (random) => Math.min(most, draw(random)),
});
