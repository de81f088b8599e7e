/** The way to a value in a configuration: keys of objects, indices of lists. */
export type KeyPath = readonly (string | number)[];

/** `models."bert-v1.5".batching`: keys that hold a dot are quoted, so that the text can be given to `--set`. */
export const formatPath = (keys: KeyPath): string =>
  keys.map((key) => (typeof key === 'string' && /[.="]/.test(key) ? `"${key}"` : String(key))).join('.');

/** The reverse of `formatPath`, for object keys; undefined when the text is no path. */
export const parsePath = (text: string): string[] | undefined => {
  const keys: string[] = [];
  const segment = /(?:"([^"]+)"|([^."]+))(\.|$)/y;
  while (segment.lastIndex < text.length) {
    const match = segment.exec(text);
    if (match === null) return undefined;
    keys.push(match[1] ?? match[2] ?? '');
    if (match[3] === '') return keys;
  }
  return undefined;
};

export const startsWith = (keys: KeyPath, prefix: KeyPath): boolean =>
  prefix.length <= keys.length && prefix.every((key, at) => String(key) === String(keys[at]));

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The value at a path, looking at own keys only; undefined where there is none. */
export const valueAt = (root: unknown, keys: KeyPath): unknown => {
  let value = root;
  for (const key of keys) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    // Checked: an object that has the key itself.
    value = (value as Readonly<Record<string | number, unknown>>)[key];
  }
  return value;
};

/**
 * A copy of `root` with `value` at the path. Nothing is put below a value that is no object: such a root comes back
 * as it is, for the check to complain about. `fromEntries` defines keys, so `__proto__` is a key like any other.
 */
export const withValueAt = (root: unknown, keys: KeyPath, value: unknown): unknown => {
  const [key, ...rest] = keys;
  if (key === undefined) return value;
  const base = root ?? {};
  if (!isRecord(base)) return root;
  return Object.fromEntries([
    ...Object.entries(base),
    [String(key), withValueAt(valueAt(base, [key]), rest, value)],
  ]);
};
