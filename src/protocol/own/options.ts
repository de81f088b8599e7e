import type { InferOptions } from '../../infer.js';
import { describe } from '../json/describe.js';
import { type Body, field, optionalFlag, refuse } from './fields.js';

/** As in config.yaml: an hour. */
const MAX_TIMEOUT_MS = 3_600_000;

const timeoutMs = (body: Body): number | undefined => {
  const value = field(body, 'timeoutMs');
  if (value === undefined || (typeof value === 'number' && value > 0 && value <= MAX_TIMEOUT_MS))
    return value;
  throw refuse(
    'timeoutMs',
    `expected milliseconds above 0, at most ${MAX_TIMEOUT_MS}, got ${describe(value)}`,
  );
};

/** The options that any body may carry; absent ones stay absent. */
export const inferOptions = (body: Body): InferOptions => {
  const timeout = timeoutMs(body);
  const truncate = optionalFlag(body, 'truncate');
  const scores = optionalFlag(body, 'scores');
  return {
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    ...(truncate === undefined ? {} : { truncate }),
    ...(scores === undefined ? {} : { scores }),
  };
};
