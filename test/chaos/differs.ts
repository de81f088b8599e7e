/**
 * The first place in which two JSON values differ, as `predictions[3].label: expected "ham", got "spam"`.
 *
 * @param tolerance largest difference of numbers that counts as equal; relative above 1, absolute below
 * @returns undefined where they are equal
 */
export const differs = (
  expected: unknown,
  got: unknown,
  tolerance: number,
  where = 'answer',
): string | undefined => {
  if (typeof expected === 'number' && typeof got === 'number') {
    const isClose = Math.abs(expected - got) <= tolerance * Math.max(1, Math.abs(expected));
    return isClose ? undefined : `${where}: expected ${expected}, got ${got}`;
  }
  if (Array.isArray(expected) && Array.isArray(got)) {
    if (expected.length !== got.length)
      return `${where}: expected ${expected.length} entries, got ${got.length}`;
    return firstOf(expected.keys(), (i) => differs(expected[i], got[i], tolerance, `${where}[${i}]`));
  }
  if (isRecord(expected) && isRecord(got)) {
    const keys = new Set([...Object.keys(expected), ...Object.keys(got)]);
    return firstOf(keys, (key) => differs(expected[key], got[key], tolerance, `${where}.${key}`));
  }
  return Object.is(expected, got) ? undefined : `${where}: expected ${shown(expected)}, got ${shown(got)}`;
};

/** `undefined` too, which JSON has no word for. */
const shown = (value: unknown): string =>
  value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 200);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const firstOf = <T>(keys: Iterable<T>, look: (key: T) => string | undefined): string | undefined => {
  for (const key of keys) {
    const found = look(key);
    if (found !== undefined) return found;
  }
  return undefined;
};
