import { gunzipSync, inflateSync } from 'node:zlib';
import type { Attack } from './attack.js';
import type { Ending } from './connection.js';
import type { HttpAnswer } from './read-answer.js';

/** Our own insides: no answer may show them. */
const INSIDES =
  /\n\s+at |node:internal|node_modules|\/dist\/|(?:Type|Reference|Range)Error|Cannot read|is not a function|\[object Object\]|undefined/;

/** Of Node itself, before any route, or asked for: right everywhere. */
const ALWAYS_RIGHT: readonly number[] = [304, 417, 431, 503, 504];

export interface Verdict {
  /** For the tally. */
  readonly label: string;
  /** What was wrong; undefined = nothing. */
  readonly problem?: string;
}

/** Node's own answer to HTTP/1.1 without a Host. */
const isOfNode = ({ status, body }: HttpAnswer): boolean =>
  status === 417 || (status === 400 && body.length === 0);

/** Is this a right end of that attack? */
export const judge = (attack: Attack, ending: Ending): Verdict => {
  if (ending.kind === 'answer') {
    const { answer } = ending;
    const problem = problemOf(attack, answer);
    const label = String(answer.status);
    return problem === undefined ? { label } : { label, problem: `${problem}: ${shown(answer)}` };
  }
  const label = ending.kind;
  const isRight = attack.spoilsConnection === true && ending.kind === 'closed';
  return isRight ? { label } : { label, problem: `no answer: ${label}` };
};

const problemOf = ({ statuses, method, bytes }: Attack, answer: HttpAnswer): string | undefined => {
  const { status, headers } = answer;
  if (status < 200 || (status >= 500 && status !== 503 && status !== 504)) return 'a status that must not be';
  if (statuses !== undefined && !ALWAYS_RIGHT.includes(status) && !statuses.has(status))
    return `a status that the document has not (${[...statuses].join(' ')})`;
  if (status < 400 || method === 'HEAD' || isOfNode(answer)) return undefined;
  if (!(headers.get('content-type') ?? '').startsWith('application/json')) return 'an error that is no JSON';
  const text = textOf(answer);
  if (!hasMessage(text)) return 'an error without a message';
  // The caller's own words may be quoted: where JSON breaks off, they were perhaps compressed on their way.
  const inside = INSIDES.exec(text.replace(/near: .*/s, ''))?.[0];
  return inside === undefined || bytes.includes(inside)
    ? undefined
    : `an error that shows our insides (${inside})`;
};

const textOf = ({ headers, body }: HttpAnswer): string => {
  const coding = headers.get('content-encoding');
  if (coding === 'gzip') return gunzipSync(body).toString();
  return coding === 'deflate' ? inflateSync(body).toString() : body.toString();
};

/** `{"error": text}`, `{"error": {"message": text}}` or `{"message": text}`: one of the protocols' shapes. */
const hasMessage = (text: string): boolean => {
  try {
    const { error, message } = JSON.parse(text) as { error?: { message?: unknown }; message?: unknown };
    const said = message ?? (typeof error === 'object' ? error.message : error);
    return typeof said === 'string' && said.length > 0;
  } catch {
    return false;
  }
};

const shown = (answer: HttpAnswer): string => `${answer.status} ${textOf(answer).slice(0, 400)}`;
