import { z } from 'zod';
import type { KeyPath } from './key-path.js';

/** JSON Schema is the one public view of a zod schema that can be walked: types, ranges, keys, descriptions. */
export type Shape = z.core.JSONSchema.JSONSchema;

export const shapeOf = (schema: z.ZodType): Shape =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });

const asShape = (value: unknown): Shape | undefined =>
  // Checked: JSON Schema's booleans are ruled out.
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Shape) : undefined;

const childOf = (shape: Shape, key: string | number): Shape | undefined => {
  const { properties = {}, items, additionalProperties, anyOf = [] } = shape;
  for (const alternative of anyOf) {
    const child = childOf(alternative, key);
    if (child !== undefined) return child;
  }
  if (typeof key === 'number') return asShape(items);
  return Object.hasOwn(properties, key) ? asShape(properties[key]) : asShape(additionalProperties);
};

/** The part of a schema that rules a path; undefined where the path is not of the schema. */
export const shapeAt = (shape: Shape, keys: KeyPath): Shape | undefined =>
  keys.reduce<Shape | undefined>((at, key) => at && childOf(at, key), shape);

export const keysOf = (shape: Shape | undefined): string[] => Object.keys(shape?.properties ?? {});

/** The values of an enumeration. */
export const choicesOf = (shape: Shape | undefined): string[] =>
  (shape?.enum ?? []).filter((choice) => typeof choice === 'string');

const range = ({ minimum, maximum, exclusiveMinimum }: Shape): string => {
  // z.int() carries the safe integers as its limits: no news to anybody.
  const from = minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? undefined : minimum;
  const to = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (from !== undefined && to !== undefined) return ` ${from}..${to}`;
  const limits = [
    from === undefined ? '' : `of at least ${from}`,
    typeof exclusiveMinimum === 'number' ? `above ${exclusiveMinimum}` : '',
    to === undefined ? '' : `of at most ${to}`,
  ].filter((limit) => limit !== '');
  return limits.length === 0 ? '' : ` ${limits.join(' and ')}`;
};

const listOf = (shape: Shape): string => {
  const item = asShape(shape.items);
  const size = shape.minItems === undefined ? 'a list' : `a list of at least ${shape.minItems}`;
  return item === undefined ? size : `${size}, each item ${describe(item)}`;
};

/** What a schema takes, in words that follow "expected": `an integer 0..65535`, `"auto" or an integer 1..256`. */
export const describe = (shape: Shape): string => {
  if (shape.description !== undefined) return shape.description;
  if (shape.const !== undefined) return JSON.stringify(shape.const);
  if (shape.enum !== undefined)
    return `one of ${shape.enum.map((choice) => JSON.stringify(choice)).join(', ')}`;
  if (shape.anyOf !== undefined) return shape.anyOf.map(describe).join(' or ');
  switch (shape.type) {
    case 'integer':
      return `an integer${range(shape)}`;
    case 'number':
      return `a number${range(shape)}`;
    case 'string':
      return shape.minLength === 1 ? 'a non-empty string' : 'a string';
    case 'boolean':
      return 'true or false';
    case 'array':
      return listOf(shape);
    case 'object':
      return `an object with keys of ${keysOf(shape).join(', ')}`;
    case 'null':
    case undefined:
    default:
      return 'another value';
  }
};
