/** Which part of a text is kept when it is too long: `right` cuts the end off, `left` the beginning. */
export type TruncationSide = 'right' | 'left';

/** The `room` ids of `ids` that are kept; `ids` itself where all fit. */
export const truncateIds = (
  ids: readonly number[],
  room: number,
  side: TruncationSide,
): readonly number[] => {
  if (ids.length <= room) return ids;
  return side === 'right' ? ids.slice(0, room) : ids.slice(ids.length - room);
};
