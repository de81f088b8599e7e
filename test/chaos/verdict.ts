import type { Act } from './acts.js';
import type { Ending } from './client.js';
import { differs } from './differs.js';
import type { Answer } from './raw-connection.js';

export interface Verdict {
  /** For the tally: `200`, or the error's code, or `left`. */
  readonly label: string;
  /** What was wrong; undefined where all is well. */
  readonly problem?: string;
}

/** Is this a right end of that act? */
export const judge = (act: Act, ending: Ending): Verdict => {
  if (act.kind === 'vanish') return { label: 'left' };
  if (ending.kind !== 'answer') return { label: ending.kind, problem: `no answer: ${ending.kind}` };
  const { answer } = ending;
  switch (act.kind) {
    case 'ask':
      return answer.status === 200 ? judgeAnswer(act, answer) : judgeError(answer, act.allowed);
    case 'look':
      return answer.status === 200
        ? { label: '200' }
        : { label: String(answer.status), problem: `${act.path} answered ${answer.status}` };
    case 'bad': {
      const { status, code } = act.request;
      const problem = answer.status === status ? {} : { problem: `expected ${status}, got ${shown(answer)}` };
      return { ...judgeError(answer, [code]), ...problem };
    }
    case 'halfBody':
      return judgeError(answer, ['BODY_TIMEOUT']);
  }
};

const judgeAnswer = ({ known }: Act & { readonly kind: 'ask' }, answer: Answer): Verdict => {
  const got = jsonOf(answer);
  if (got === undefined) return { label: '200', problem: `no JSON: ${shown(answer)}` };
  const problems = known.expected.map((expected) => differs(expected, got, known.tolerance));
  if (problems.includes(undefined)) return { label: '200' };
  return {
    label: '200',
    problem: `wrong answer: ${problems[0] ?? `expected an error, got ${shown(answer)}`}`,
  };
};

/** A clean error: a code that is allowed here, in the shape of all errors, with its id and the headers it owes. */
const judgeError = (answer: Answer, allowed: readonly string[]): Verdict => {
  const { code, requestId, message } = errorOf(answer);
  const owesRetryAfter = answer.status === 429 || answer.status === 503;
  const problem =
    code === undefined || !allowed.includes(code)
      ? `expected ${['200', ...allowed].join(' or ')}, got ${shown(answer)}`
      : message === undefined || requestId === undefined || requestId !== answer.headers.get('x-request-id')
        ? `incomplete error: ${shown(answer)}`
        : owesRetryAfter && !/^[1-9]\d*$/.test(answer.headers.get('retry-after') ?? '')
          ? `no Retry-After: ${shown(answer)}`
          : undefined;
  return { label: code ?? String(answer.status), ...(problem === undefined ? {} : { problem }) };
};

interface ErrorFields {
  readonly code?: string;
  readonly message?: string;
  readonly requestId?: string;
}

export const errorOf = (answer: Answer): ErrorFields =>
  (jsonOf(answer) as { error?: ErrorFields } | null | undefined)?.error ?? {};

const jsonOf = ({ body }: Answer): unknown => {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
};

const shown = ({ status, body }: Answer): string => `${status} ${body.toString('utf8', 0, 300)}`;
