import type { InferOptions } from '../../infer.js';
import { describe, isObject } from '../json/describe.js';
import { field, refuse, type Body } from '../own/fields.js';

/** As in config.yaml: an hour. A longer timeout means the same. */
const MAX_TIMEOUT_MS = 3_600_000;
/** Lower priorities mean the same. */
const MAX_PRIORITY = 1000;

const EMPTY: Body = {};

/** `parameters` of a request, an input or an output; unknown ones are ignored, as the protocol wants. */
export const parametersOf = (owner: Body, where: string): Body => {
  const parameters = field(owner, 'parameters');
  if (parameters === undefined || parameters === null) return EMPTY;
  if (!isObject(parameters))
    throw refuse(where, `expected "parameters" as an object, got ${describe(parameters)}`);
  if (field(parameters, 'shared_memory_region') !== undefined)
    throw refuse(where, 'shared memory is not supported; send the data in the body');
  return parameters;
};

export const optionalFlag = (parameters: Body, key: string, where: string): boolean | undefined => {
  const value = field(parameters, key);
  if (value === undefined || typeof value === 'boolean') return value;
  throw refuse(where, `expected parameters.${key} as true or false, got ${describe(value)}`);
};

/** An integer from `min` on; one too large for a number is cut. */
export const optionalInteger = (
  parameters: Body,
  key: string,
  min: number,
  where: string,
): number | undefined => {
  const value = field(parameters, key);
  if (value === undefined) return undefined;
  if (typeof value === 'bigint' && value > 0n) return Number.MAX_SAFE_INTEGER;
  if (typeof value === 'number' && Number.isInteger(value) && value >= min) return value;
  throw refuse(where, `expected parameters.${key} as an integer from ${min} on, got ${describe(value)}`);
};

/** `priority` (1 highest, 0 default) and `timeout` (microseconds, 0 = default). */
export const optionsOf = (parameters: Body): InferOptions => {
  const priority = optionalInteger(parameters, 'priority', 0, 'request');
  const timeoutUs = optionalInteger(parameters, 'timeout', 0, 'request') ?? 0;
  return {
    ...(priority === undefined ? {} : { priority: Math.min(priority, MAX_PRIORITY) }),
    ...(timeoutUs === 0 ? {} : { timeoutMs: Math.min(timeoutUs / 1000, MAX_TIMEOUT_MS) }),
  };
};
