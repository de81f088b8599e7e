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

const priority = (body: Body): number | undefined => {
  const value = field(body, 'priority');
  if (
    value === undefined ||
    (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 1000)
  )
    return value;
  throw refuse(
    'priority',
    `expected an integer from 0 (default) or 1 (highest) to 1000, got ${describe(value)}`,
  );
};

/** Keys of the options that any body may carry. */
export const OPTION_KEYS = ['timeoutMs', 'priority'] as const;

/** These, and `truncate`, which only texts may have; absent ones stay absent. */
export const inferOptions = (body: Body): InferOptions => {
  const timeout = timeoutMs(body);
  const urgency = priority(body);
  const truncate = optionalFlag(body, 'truncate');
  return {
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    ...(urgency === undefined ? {} : { priority: urgency }),
    ...(truncate === undefined ? {} : { truncate }),
  };
};
