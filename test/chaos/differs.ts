const TOLERANCE = 1e-4;
/** Confidence of a text is printed with three decimals. */
const PRINTED_TOLERANCE = 1.001e-3;

/**
 * The first place in which two JSON values differ, as `answer.predictions[3].label: expected "ham", got "spam"`; numbers
 * within 1e-4 are equal, printed confidences within 1e-3.
 *
 * @returns undefined where they are equal
 */
export const differs = (expected: unknown, got: unknown, where = 'answer'): string | undefined => {
  if (typeof expected === 'number' && typeof got === 'number') {
    const tolerance = where.endsWith('.confidence') ? PRINTED_TOLERANCE : TOLERANCE;
    return Math.abs(expected - got) <= tolerance ? undefined : `${where}: expected ${expected}, got ${got}`;
  }
  if (Array.isArray(expected) && Array.isArray(got)) {
    if (expected.length !== got.length)
      return `${where}: expected ${expected.length} entries, got ${got.length}`;
    return firstOf(expected.keys(), (i) => differs(expected[i], got[i], `${where}[${i}]`));
  }
  if (isRecord(expected) && isRecord(got)) {
    const keys = new Set([...Object.keys(expected), ...Object.keys(got)]);
    return firstOf(keys, (key) => differs(expected[key], got[key], `${where}.${key}`));
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
