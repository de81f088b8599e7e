import { parse as parseLossless } from 'lossless-json';
import { messageOf } from '../../errors.js';

const MAX_REASON = 120;
const EXCERPT = 20;

/** On one line, and nothing that a terminal or a log would act on. */
const printable = (text: string): string => text.replace(/\p{C}/gu, ' ');

/**
 * Where and why `text` is not JSON, on one line. `JSON.parse` names no position for most faults, so the text is read
 * once more by a parser that does. The text must not be nested deep: that parser recurses.
 */
export const explainSyntax = (text: string): string => {
  let message = '';
  try {
    parseLossless(text);
  } catch (error) {
    message = messageOf(error);
  }
  const [, reason, position] = /^(.*) at position (\d+)$/s.exec(message) ?? [];
  if (reason === undefined || position === undefined) return 'body: broken JSON';
  const at = Number(position);
  const lineStart = text.lastIndexOf('\n', at - 1) + 1;
  const line = text.slice(0, lineStart).split('\n').length;
  const shortReason = reason.length > MAX_REASON ? `${reason.slice(0, MAX_REASON)}…` : reason;
  // What Python's json module writes unless told otherwise.
  const hint = /^(NaN|Infinity)/.test(text.slice(at, at + 8)) ? ' (JSON has no NaN and no Infinity)' : '';
  const near = text.slice(Math.max(0, at - EXCERPT), at + EXCERPT);
  return printable(
    `body: broken JSON at line ${line}, column ${at - lineStart + 1}: ${shortReason}${hint}, near: ${near}`,
  );
};
