/** A key of parsed JSON; undefined where the value is no object. */
export const keyOf = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;

/** A list at a key of parsed JSON; empty where there is none. */
export const listOf = (value: unknown, key: string): readonly unknown[] => {
  const list = keyOf(value, key);
  return Array.isArray(list) ? list : [];
};
