import { ERROR_TABLE, isErrorCode } from '../../src/errors.js';
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
    case 'bad':
      return judgeError(answer, [act.request.code]);
    case 'halfBody':
      return judgeError(answer, ['BODY_TIMEOUT']);
  }
};

const judgeAnswer = ({ known }: Act & { readonly kind: 'ask' }, answer: Answer): Verdict => {
  const got = jsonOf(answer);
  if (got === undefined) return { label: '200', problem: `no JSON: ${shown(answer)}` };
  const problems = known.expected.map((expected) => differs(expected, got));
  if (problems.includes(undefined)) return { label: '200' };
  return {
    label: '200',
    problem: `wrong answer: ${problems[0] ?? `expected an error, got ${shown(answer)}`}`,
  };
};

/** A clean error: a code that is allowed here, with its status, in the shape of all errors. */
const judgeError = (answer: Answer, allowed: readonly string[]): Verdict => {
  const { code } = errorOf(answer);
  const isAllowed = code !== undefined && allowed.includes(code);
  const problem = isAllowed
    ? formProblem(answer)
    : `expected ${['200', ...allowed].join(' or ')}, got ${shown(answer)}`;
  return { label: code ?? String(answer.status), ...(problem === undefined ? {} : { problem }) };
};

const formProblem = (answer: Answer): string | undefined => {
  const { code, message, requestId } = errorOf(answer);
  const { status, headers } = answer;
  if (!isErrorCode(code) || ERROR_TABLE[code].http !== status) return `wrong status: ${shown(answer)}`;
  if (message === undefined || requestId === undefined || requestId !== headers.get('x-request-id'))
    return `incomplete error: ${shown(answer)}`;
  const owesRetryAfter = status === 429 || status === 503;
  if (owesRetryAfter && !/^[1-9]\d*$/.test(headers.get('retry-after') ?? ''))
    return `no Retry-After: ${shown(answer)}`;
  return undefined;
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
