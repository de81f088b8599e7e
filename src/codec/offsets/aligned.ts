/**
 * A text made of another one, and where each of its UTF-16 units came from.
 *
 *   source  C a f é !        é is one unit there and becomes e
 *   text    c a f e !        starts 0 1 2 3 4   ends 1 2 3 4 5
 */
export interface Aligned {
  readonly text: string;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** A part of the source as it is; units of one surrogate pair have the pair's place. */
export const alignedSource = (source: string, from: number, to: number): Aligned => {
  const starts: number[] = [];
  const ends: number[] = [];
  const text = source.slice(from, to);
  for (const char of text) {
    const at = from + starts.length;
    for (let i = 0; i < char.length; i++) {
      starts.push(at);
      ends.push(at + char.length);
    }
  }
  return { text, starts, ends };
};

export const sliceAligned = ({ text, starts, ends }: Aligned, from: number, to: number): Aligned => ({
  text: text.slice(from, to),
  starts: starts.slice(from, to),
  ends: ends.slice(from, to),
});

/** Collects units together with the places that they came from. */
export class AlignedBuilder {
  readonly #parts: string[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  /** `text`, all of it from where unit `at` of `origin` came from; dropped where there is none. */
  push(text: string, origin: Aligned, at: number): void {
    const start = origin.starts[at];
    const end = origin.ends[at];
    if (start === undefined || end === undefined) return;
    this.#parts.push(text);
    for (let i = 0; i < text.length; i++) {
      this.#starts.push(start);
      this.#ends.push(end);
    }
  }

  /** Units `[from, to)` of `origin` as they are. */
  copy(origin: Aligned, from: number, to: number): void {
    for (let at = from; at < to; at++) this.push(origin.text[at] ?? '', origin, at);
  }

  build(): Aligned {
    return { text: this.#parts.join(''), starts: this.#starts, ends: this.#ends };
  }
}

/** `text` before all, placed where the first unit is: as `tokenizers` places what it prepends. */
export const prepend = (text: string, origin: Aligned): Aligned => {
  const builder = new AlignedBuilder();
  builder.push(text, origin, 0);
  builder.copy(origin, 0, origin.text.length);
  return builder.build();
};

/** Every match becomes `content`, placed where the last unit of the match is. */
export const replaceAligned = (origin: Aligned, pattern: RegExp, content: string): Aligned => {
  const builder = new AlignedBuilder();
  let at = 0;
  for (const match of origin.text.matchAll(pattern)) {
    if (match[0] === '') continue;
    builder.copy(origin, at, match.index);
    at = match.index + match[0].length;
    builder.push(content, origin, at - 1);
  }
  builder.copy(origin, at, origin.text.length);
  return builder.build();
};

/** A line end, a base with its marks, or jamo that make up a syllable: what normalisation never looks beyond. */
const CLUSTERS = /\r\n|[\u1100-\u11ff]+|[^\p{M}]\p{M}*|\p{M}+/gsu;

/**
 * `change` applied to the whole, with the places found by applying it cluster by cluster: the k-th character that comes
 * out of a cluster came from its k-th one, what is more from its last one. As `tokenizers` does it.
 */
export const changeAligned = (origin: Aligned, change: (text: string) => string): Aligned => {
  const whole = change(origin.text);
  if (whole === origin.text) return origin;
  const builder = new AlignedBuilder();
  for (const cluster of origin.text.matchAll(CLUSTERS)) {
    const positions: number[] = [];
    let at = cluster.index;
    for (const char of cluster[0]) {
      positions.push(at);
      at += char.length;
    }
    let k = 0;
    for (const char of change(cluster[0]))
      builder.push(char, origin, positions[Math.min(k++, positions.length - 1)] ?? 0);
  }
  const changed = builder.build();
  return changed.text === whole ? changed : alignLike(origin, whole);
};

/** How far equal characters are looked for. */
const LOOKAHEAD = 16;

/** Places for a text made of another one by what is not known, by going along both. */
export const alignLike = (origin: Aligned, text: string): Aligned => {
  const builder = new AlignedBuilder();
  const sameLength = text.length === origin.text.length;
  let at = 0;
  for (const unit of text) {
    const found = sameLength ? at : origin.text.slice(at, at + LOOKAHEAD).indexOf(unit) + at;
    if (found >= at) at = found;
    builder.push(unit, origin, Math.min(at, origin.text.length - 1));
    if (found >= at) at += unit.length;
  }
  return builder.build();
};
