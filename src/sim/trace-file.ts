import { OptionError } from './numbers.js';
import { z } from 'zod';
import type { SimRequest } from './traces.js';

const lineSchema = z.strictObject({
  atMs: z.number().min(0),
  length: z.int().min(1),
  rows: z.int().min(1).default(1),
  caller: z.string().optional(),
});

/**
 * A recorded trace: one JSON object a line, `{"atMs": 12.5, "length": 40, "rows": 2, "caller": "a"}`, `rows` and
 * `caller` optional, blank lines ignored; sorted by time here.
 *
 * @throws OptionError that names the line and what is wrong with it
 */
export const parseTrace = (text: string): SimRequest[] => {
  const requests: SimRequest[] = [];
  text.split('\n').forEach((line, index) => {
    if (line.trim() === '') return;
    const parsed = lineSchema.safeParse(parseJson(line));
    if (!parsed.success) {
      const problems = parsed.error.issues.map(
        ({ path, message }) => `${path.join('.') || 'line'}: ${message}`,
      );
      throw new OptionError(
        `trace, line ${index + 1}: expected {"atMs": number, "length": tokens, "rows"?, "caller"?}; ${problems.join('; ')}`,
      );
    }
    const { atMs, length, rows, caller } = parsed.data;
    requests.push({
      atMs,
      lengths: new Array<number>(rows).fill(length),
      ...(caller === undefined ? {} : { caller }),
    });
  });
  if (requests.length === 0) throw new OptionError('trace: expected at least one request, found none');
  return requests.sort((a, b) => a.atMs - b.atMs);
};

const parseJson = (line: string): unknown => {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
};
