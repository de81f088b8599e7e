const MAX_SHOWN = 40;

/** A name or key that a caller chose, quoted and cut to 40 characters, for messages. */
export const quoted = (text: string): string =>
  JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);

/** What came, in words short enough for a message: `number 7`, `string "abc"`, `a list of 3`. Never the whole value. */
export const describe = (value: unknown): string => {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'string') return `string ${quoted(value)}`;
  if (typeof value === 'number' || typeof value === 'bigint') return `number ${String(value)}`;
  return typeof value === 'boolean' ? String(value) : 'an object';
};

export const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
