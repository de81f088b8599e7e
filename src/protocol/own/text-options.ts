import { AGGREGATIONS, type Aggregation } from '../../codec/tasks/index.js';
import type { InferOptions, TextUnit, WindowOptions } from '../../infer.js';
import { describe, isObject, quoted } from '../json/describe.js';
import type { TextAnswer } from './answer.js';
import { type Body, field, objectBody, optionalCount, optionalFlag, refuse } from './fields.js';

/** Keys of a body about its texts, beside those that hold them. */
export const TEXT_OPTION_KEYS = [
  'truncate',
  'scores',
  'top_k',
  'truncate_from',
  'window',
  'return_tokens',
  'aggregation',
  'normalize',
  'dimensions',
] as const;

/** How texts are run. @throws CarpoolError INVALID_REQUEST */
export const textRunOptions = (body: Body, texts: readonly TextUnit[]): Partial<InferOptions> => {
  const truncateFrom = oneOf(body, 'truncate_from', ['left', 'right']);
  const window = windowOf(body);
  const tokens = optionalFlag(body, 'return_tokens') === true;
  if (window !== undefined && texts.some((text) => typeof text !== 'string'))
    throw refuse('window', 'expected single texts, got pairs');
  if (window !== undefined && tokens) throw refuse('return_tokens', 'can not be had with "window"');
  return {
    ...(truncateFrom === undefined ? {} : { truncateFrom }),
    ...(window === undefined ? {} : { window }),
    ...(tokens ? { wants: { ids: true, offsets: true } } : {}),
  };
};

/** What is told of them. @throws CarpoolError INVALID_REQUEST */
export const textAnswer = (body: Body): TextAnswer => {
  const scores = optionalFlag(body, 'scores');
  const topK = optionalCount(body, 'top_k');
  const tokens = optionalFlag(body, 'return_tokens');
  const aggregation: Aggregation | undefined = oneOf(body, 'aggregation', AGGREGATIONS);
  const normalize = optionalFlag(body, 'normalize');
  const dimensions = optionalCount(body, 'dimensions');
  const window = field(body, 'window');
  const combine = isObject(window) ? oneOf(window, 'combine', ['max', 'mean'], 'window.combine') : undefined;
  return {
    ...(scores === undefined ? {} : { scores }),
    ...(topK === undefined ? {} : { topK }),
    ...(tokens === undefined ? {} : { tokens }),
    ...(aggregation === undefined ? {} : { aggregation }),
    ...(normalize === undefined ? {} : { normalize }),
    ...(dimensions === undefined ? {} : { dimensions }),
    ...(combine === undefined ? {} : { combine }),
  };
};

/** `{"stride": tokens, "combine"?: "max" | "mean"}` */
const windowOf = (body: Body): WindowOptions | undefined => {
  const value = field(body, 'window');
  if (value === undefined) return undefined;
  if (!isObject(value)) throw refuse('window', `expected {"stride": tokens}, got ${describe(value)}`);
  const window = objectBody(value, ['stride', 'combine'], 'window');
  const stride = field(window, 'stride') ?? 0;
  if (typeof stride === 'number' && Number.isInteger(stride) && stride >= 0) return { stride };
  throw refuse('window.stride', `expected how many tokens windows share, 0 or more, got ${describe(stride)}`);
};

const oneOf = <T extends string>(
  body: Body,
  key: string,
  values: readonly T[],
  where = key,
): T | undefined => {
  const value = field(body, key);
  if (value === undefined) return undefined;
  const found = values.find((known) => known === value);
  if (found !== undefined) return found;
  const came = typeof value === 'string' ? quoted(value) : describe(value);
  throw refuse(where, `expected one of ${values.join(', ')}; got ${came}`);
};
