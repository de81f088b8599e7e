/**
 * Where a caller stands between 0 and 1 (exclusive) for a model: always the same place, evenly spread over callers, and
 * another one for another model, so that not the same callers are the first for everything.
 *
 * FNV-1a (draft-eastlake-fnv) over the UTF-16 units, then the finaliser of MurmurHash3, without which addresses that
 * differ in their last digit stand side by side.
 */
export const shareOf = (caller: string, model: string): number => {
  const text = `${model}\n${caller}`;
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
};
