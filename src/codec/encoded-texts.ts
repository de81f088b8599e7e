import type { TextFacts } from '../infer.js';

/**
 * Token ids of several texts, ragged: plain data whose buffers can be transferred. Everything but `lengths`,
 * `truncated` and `sources` has an entry for every token.
 */
export interface EncodedTexts {
  /** Ids of all texts, one after the other, special tokens included. */
  readonly ids: Int32Array;
  /** Tokens of each text; the sum is `ids.length`. */
  readonly lengths: Int32Array;
  /** 1 where a text was cut. */
  readonly truncated: Uint8Array;
  /** Segment ids; absent where all are 0. */
  readonly typeIds?: Int32Array;
  /** Of texts in windows: the position of each one's text in the request. */
  readonly sources?: Int32Array;
  /** With `wants`: see TextFacts. */
  readonly special?: Uint8Array;
  readonly offsets?: Int32Array;
  readonly ofPair?: Uint8Array;
  readonly pieces?: readonly string[];
}

/** Puts the encoded slices of one request together again. */
export const joinEncoded = (slices: readonly EncodedTexts[]): EncodedTexts => {
  const [first] = slices;
  const pieces = first?.pieces === undefined ? undefined : slices.flatMap((slice) => slice.pieces ?? []);
  // A slice without pairs has no segment ids, though another one may.
  const typed = slices.some(({ typeIds }) => typeIds !== undefined);
  const typeIds = typed
    ? slices.map((slice) => slice.typeIds ?? new Int32Array(slice.ids.length))
    : undefined;
  return {
    ids: joinArrays(
      Int32Array,
      slices.map(({ ids }) => ids),
    ),
    lengths: joinArrays(
      Int32Array,
      slices.map(({ lengths }) => lengths),
    ),
    truncated: joinArrays(
      Uint8Array,
      slices.map(({ truncated }) => truncated),
    ),
    ...(typeIds === undefined ? {} : { typeIds: joinArrays(Int32Array, typeIds) }),
    ...optional('sources', Int32Array, slices),
    ...optional('special', Uint8Array, slices),
    ...optional('offsets', Int32Array, slices),
    ...optional('ofPair', Uint8Array, slices),
    ...(pieces === undefined ? {} : { pieces }),
  };
};

/** What a result tells of each text. */
export const factsOf = (encoded: EncodedTexts): TextFacts[] => {
  const { ids, lengths, truncated, sources, special, offsets, ofPair, pieces } = encoded;
  let to = 0;
  return Array.from(lengths, (tokens, i) => {
    const from = to;
    to += tokens;
    return {
      tokens,
      truncated: truncated[i] === 1,
      ...(sources === undefined ? {} : { source: sources[i] ?? i }),
      ...(special === undefined ? {} : { ids: ids.subarray(from, to), special: special.subarray(from, to) }),
      ...(pieces === undefined || offsets === undefined
        ? {}
        : { pieces: pieces.slice(from, to), offsets: offsets.subarray(2 * from, 2 * to) }),
      ...(pieces === undefined || ofPair === undefined ? {} : { ofPair: ofPair.subarray(from, to) }),
    };
  });
};

/** The way back; without ids and all that comes with them where the facts have none. */
export const encodedOf = (facts: readonly TextFacts[]): EncodedTexts => {
  const lengths = new Int32Array(facts.length);
  const truncated = new Uint8Array(facts.length);
  for (const [i, fact] of facts.entries()) {
    lengths[i] = fact.tokens;
    truncated[i] = Number(fact.truncated);
  }
  const [first] = facts;
  const bare = { ids: new Int32Array(), lengths, truncated };
  const placed =
    first?.source === undefined
      ? bare
      : { ...bare, sources: Int32Array.from(facts, ({ source }) => source ?? 0) };
  if (first?.ids === undefined) return placed;
  const flat = (of: (fact: TextFacts) => ArrayLike<number> | undefined): ArrayLike<number>[] =>
    facts.map((fact) => of(fact) ?? []);
  return {
    ...placed,
    ids: joinArrays(
      Int32Array,
      flat(({ ids }) => ids),
    ),
    special: joinArrays(
      Uint8Array,
      flat(({ special }) => special),
    ),
    ...(first.pieces === undefined
      ? {}
      : {
          offsets: joinArrays(
            Int32Array,
            flat(({ offsets }) => offsets),
          ),
          ofPair: joinArrays(
            Uint8Array,
            flat(({ ofPair }) => ofPair),
          ),
          pieces: facts.flatMap(({ pieces }) => pieces ?? []),
        }),
  };
};

/** The arrays in it, which may be moved to another thread. */
export const encodedArrays = (encoded: EncodedTexts): ArrayBufferView[] =>
  Object.values(encoded).filter((value: unknown) => ArrayBuffer.isView(value));

interface Settable {
  set(part: ArrayLike<number>, offset: number): void;
}

export const joinArrays = <T extends Settable>(
  make: new (length: number) => T,
  parts: readonly ArrayLike<number>[],
): T => {
  const joined = new make(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
};

const optional = <K extends 'sources' | 'special' | 'offsets' | 'ofPair', T extends Settable>(
  key: K,
  make: new (length: number) => T,
  slices: readonly EncodedTexts[],
): { readonly [P in K]?: T } => {
  const parts = slices.map((slice) => slice[key]).filter((part) => part !== undefined);
  if (slices[0]?.[key] === undefined) return {};
  // One key, which the compiler does not see through a computed name.
  return { [key]: joinArrays(make, parts) } as { readonly [P in K]?: T };
};
