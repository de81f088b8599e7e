import { codePointCounter } from '../../codec/code-points.js';
import { itemsByText } from '../../codec/tasks/index.js';
import type { InferRequest, InferResult, TextFacts, TextUnit } from '../../infer.js';
import type { ModelInfo } from '../../models/model-info.js';
import type { TextAnswer } from './answer.js';
import { objectJson } from './members.js';
import { taskMembersOf, type Members } from './text-members.js';

/** Every text's answer: what the task says of it, then whether it was cut, then its tokens. */
export const textMembers = (
  info: ModelInfo,
  answer: TextAnswer,
  { input }: InferRequest,
  result: InferResult,
): readonly Members[] => {
  const texts = input.kind === 'texts' ? input.texts : [];
  const groups = groupsOf(answer, result);
  return taskMembersOf(info, answer, texts, result).map((members, i): Members => {
    const items = groups[i] ?? [];
    const isCut = items.some((item) => result.texts?.[item]?.truncated === true);
    const whole: Members = isCut ? [...members, ['truncated', 'true']] : members;
    if (answer.tokens !== true) return whole;
    const tokens = items.flatMap((item) => tokenJson(texts[item] ?? '', result.texts?.[item]));
    return [...whole, ['tokens', `[${tokens.join(',')}]`]];
  });
};

/** Lists of an answer that is no `predictions`, each of the text's member of another name. */
const LISTS = [
  ['entities', 'entities'],
  ['embeddings', 'embedding'],
  ['truncated', 'truncated'],
  ['tokens', 'tokens'],
] as const;

/**
 * The task's fields of an answer: `predictions`, a list of objects; but entities and embeddings are plain lists, with
 * `truncated` (where a text was cut) and `tokens` (where asked for) beside them.
 */
export const taskFields = (
  info: ModelInfo,
  answer: TextAnswer,
  request: InferRequest,
  result: InferResult,
): Members => {
  const texts = textMembers(info, answer, request, result);
  const { task } = info.card;
  if (task !== 'token-classification' && task !== 'embedding')
    return [['predictions', `[${texts.map(objectJson).join(',')}]`]];
  const byText = texts.map((members) => new Map(members));
  return LISTS.flatMap(([list, key]): Members => {
    if (!byText.some((members) => members.has(key))) return [];
    return [[list, `[${byText.map((members) => members.get(key) ?? 'false').join(',')}]`]];
  });
};

/** A text that was tried with several labels is shown by the first of its pairs. */
const groupsOf = ({ zeroShot }: TextAnswer, { items, texts }: InferResult): number[][] =>
  zeroShot === undefined
    ? itemsByText(items.length, texts)
    : Array.from({ length: zeroShot.texts }, (_, text) => [text * zeroShot.labels.length]);

/** `{"id", "token", "start", "end"}`; places in Unicode code points of the text, or of the pair (`"pair": true`). */
const tokenJson = (unit: TextUnit, facts: TextFacts | undefined): string[] => {
  const { ids, pieces = [], offsets, special, ofPair } = facts ?? {};
  if (ids === undefined) return [];
  const [first, second] = typeof unit === 'string' ? [unit, ''] : unit;
  const counters = [codePointCounter(first), codePointCounter(second)] as const;
  return Array.from(ids, (id, i) => {
    const isPair = ofPair?.[i] === 1;
    const place = isPair ? counters[1] : counters[0];
    return JSON.stringify({
      id,
      token: pieces[i] ?? '',
      start: place(offsets?.[2 * i] ?? 0),
      end: place(offsets?.[2 * i + 1] ?? 0),
      ...(special?.[i] === 1 ? { special: true } : {}),
      ...(isPair ? { pair: true } : {}),
    });
  });
};
