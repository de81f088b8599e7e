/** Which part of a text is kept when it is too long: `right` cuts the end off, `left` the beginning. */
export type TruncationSide = 'right' | 'left';

/** Tokens of a text without special ones; offsets and pieces where they were asked for. */
export interface TextTokens {
  readonly ids: readonly number[];
  /** Start and end of each. */
  readonly offsets?: readonly number[];
}

/** Tokens `[from, to)`. */
export const sliceTokens = ({ ids, offsets }: TextTokens, from: number, to: number): TextTokens => ({
  ids: ids.slice(from, to),
  ...(offsets === undefined ? {} : { offsets: offsets.slice(2 * from, 2 * to) }),
});

/** The `room` tokens that are kept; the same where all fit. */
export const truncateTokens = (tokens: TextTokens, room: number, side: TruncationSide): TextTokens => {
  const { length } = tokens.ids;
  if (length <= room) return tokens;
  return side === 'right' ? sliceTokens(tokens, 0, room) : sliceTokens(tokens, length - room, length);
};

/**
 * Tokens that two texts may keep so that both fit: `longest_first` as `tokenizers` has it. The shorter one stays whole
 * where the longer one can pay for it.
 */
export const pairRooms = (first: number, second: number, room: number): [first: number, second: number] => {
  if (first + second <= room) return [first, second];
  const shorter = Math.min(first, second);
  const longer = Math.max(shorter, room - shorter);
  const fits = shorter <= room && shorter + longer <= room;
  const short = fits ? shorter : Math.floor(room / 2);
  const long = fits ? longer : short + (room % 2);
  return first > second ? [long, short] : [short, long];
};
