import type { z } from 'zod';
import { shorten, type Problem } from './config-error.js';
import { choicesOf, describe, keysOf, shapeAt, shapeOf, type Shape } from './expected.js';
import { formatPath, valueAt, type KeyPath } from './key-path.js';
import { nearest } from './nearest.js';

/** Says where a path was written. `names` is true when the text already shows the path. */
export type Locate = (keys: KeyPath) => { readonly where: string; readonly names: boolean } | undefined;

export interface Explanation {
  readonly schema: z.ZodType;
  /** What the schema was given. */
  readonly raw: unknown;
  readonly issues: readonly z.core.$ZodIssue[];
  /** Path of `raw` in the whole configuration. */
  readonly at: KeyPath;
  readonly locate: Locate;
}

interface Findings {
  readonly expected: string;
  readonly got: string;
  readonly nearest?: string | undefined;
}

/** Puts the parts of a problem into its line. `text` replaces "expected …, got …". */
export const problemOf = (
  keys: KeyPath,
  { expected, got, nearest: meant }: Findings,
  locate: Locate,
  text = `expected ${expected}, got ${got}`,
): Problem => {
  const path = formatPath(keys);
  const place = locate(keys);
  const head = [place?.where, place?.names === true ? '' : path].filter((part) => part).join(': ');
  const hint = meant === undefined ? '' : `; did you mean \`${meant}\`?`;
  return {
    path,
    ...(place === undefined ? {} : { where: place.where }),
    expected,
    got,
    ...(meant === undefined ? {} : { nearest: meant }),
    message: `${head === '' ? 'configuration' : head}: ${text}${hint}`,
  };
};

/** The key itself may be right and its section wrong: `maxBatch` at the root is `batching.maxBatch`. */
const inAnotherSection = (shape: Shape, key: string): KeyPath | undefined => {
  for (const section of keysOf(shape)) {
    const found = nearest(key, keysOf(shapeAt(shape, [section])));
    if (found !== undefined) return [section, found];
  }
  return undefined;
};

const unknownKey = (
  shape: Shape,
  parent: KeyPath,
  key: string,
  { raw, at, locate }: Explanation,
): Problem => {
  const keys = keysOf(shapeAt(shape, parent));
  const sibling = nearest(key, keys);
  const meantKeys = sibling === undefined ? inAnotherSection(shape, key) : [...parent, sibling];
  const meant = meantKeys && formatPath([...at, ...meantKeys]);
  const expected = `one of ${keys.join(', ')}`;
  const got = shorten(valueAt(raw, [...parent, key]));
  const text = `unknown key (value ${got})`;
  return problemOf(
    [...at, ...parent, key],
    { expected, got, nearest: meant },
    locate,
    meant === undefined ? `${text}, expected ${expected}` : text,
  );
};

const wrongValue = (shape: Shape, keys: KeyPath, { raw, at, locate }: Explanation): Problem => {
  const value = valueAt(raw, keys);
  const rule = shapeAt(shape, keys);
  return problemOf(
    [...at, ...keys],
    {
      expected: rule === undefined ? 'another value' : describe(rule),
      // Somebody may have put the key where its hash belongs, and this line goes to logs.
      got: rule?.['secret'] === true ? 'something else, not shown here' : shorten(value),
      nearest: typeof value === 'string' ? nearest(value, choicesOf(rule)) : undefined,
    },
    locate,
  );
};

/** Turns zod's issues into problems: one per unknown key, one per wrong value, each path once. */
export const explain = (explanation: Explanation): Problem[] => {
  const shape = shapeOf(explanation.schema);
  const problems = new Map<string, Problem>();
  for (const issue of explanation.issues) {
    // Symbols can't come from YAML and are no keys of ours.
    const keys = issue.path.filter((key) => typeof key !== 'symbol');
    const found =
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => unknownKey(shape, keys, key, explanation))
        : [wrongValue(shape, keys, explanation)];
    for (const problem of found) problems.set(problem.path, problem);
  }
  return [...problems.values()];
};
