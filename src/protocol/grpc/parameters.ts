import type { Body } from '../own/fields.js';
import type { InferParameter, ParameterMap } from './messages.js';

/** Parameters as JSON has them: integers beyond 2^53 are bigint. Absent where none are set, for messages. */
export const bodyOf = (parameters: ParameterMap): Body =>
  Object.fromEntries(Object.entries(parameters).map(([key, value]) => [key, valueOf(value)]));

const valueOf = (parameter: InferParameter): unknown => {
  const { bool_param, int64_param, string_param, double_param, uint64_param } = parameter;
  const integer = int64_param ?? uint64_param;
  if (integer === undefined) return bool_param ?? string_param ?? double_param;
  const value = Number(integer);
  return Number.isSafeInteger(value) ? value : BigInt(integer);
};
