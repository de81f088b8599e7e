import { argmax } from './activation.js';

/** A token of the text with the scores of all labels. Offsets in UTF-16 code units. */
export interface ScoredToken {
  readonly index: number;
  readonly word: string;
  /** It goes on with the word of the token before it. */
  readonly continues: boolean;
  readonly scores: readonly number[];
  readonly start: number;
  readonly end: number;
}

/** A token, a word or a group of these, with its label. */
export interface Labelled {
  readonly label: string;
  readonly score: number;
  readonly word: string;
  readonly start: number;
  readonly end: number;
}

type Join = (pieces: readonly string[]) => string;

/** Tokens to words with one label each; `simple` leaves every token for itself. */
export const mergeWords = (
  tokens: readonly ScoredToken[],
  how: 'simple' | 'first' | 'average' | 'max',
  labelOf: (label: number) => string,
  join: Join,
): Labelled[] => {
  if (how === 'simple')
    return tokens.map(({ scores, word, start, end }) => ({ ...best(scores, labelOf), word, start, end }));
  return runs(tokens, (token) => token.continues).map((word) => ({
    ...best(scoresOfWord(word, how), labelOf),
    word: join(word.map((token) => token.word)),
    ...span(word),
  }));
};

/**
 *   B-PER I-PER | I-LOC | B-LOC   a `B-`, and any other label than the one before, begin a new group
 */
export const groupTokens = (tokens: readonly Labelled[], join: Join): Labelled[] =>
  runs(tokens, (token, before) => {
    const here = tagOf(token.label);
    return here.tag === tagOf(before.label).tag && !here.begins;
  }).map((group) => ({
    // Like transformers: whatever stands before the first dash, be it B, I or anything.
    label: afterDash(group[0]?.label ?? ''),
    score: group.reduce((sum, { score }) => sum + score, 0) / group.length,
    word: join(group.map(({ word }) => word)),
    ...span(group),
  }));

const best = (
  scores: readonly number[],
  labelOf: (label: number) => string,
): { readonly label: string; readonly score: number } => {
  const index = argmax(scores);
  return { label: labelOf(index), score: scores[index] ?? NaN };
};

const scoresOfWord = (word: readonly ScoredToken[], how: 'first' | 'average' | 'max'): readonly number[] => {
  const rows = word.map(({ scores }) => scores);
  switch (how) {
    case 'first':
      return rows[0] ?? [];
    case 'max':
      return rows[argmax(rows.map((scores) => Math.max(...scores)))] ?? [];
    case 'average':
      return (rows[0] ?? []).map(
        (_, label) => rows.reduce((sum, scores) => sum + (scores[label] ?? NaN), 0) / rows.length,
      );
  }
};

const tagOf = (label: string): { readonly begins: boolean; readonly tag: string } =>
  label.startsWith('B-') || label.startsWith('I-')
    ? { begins: label.startsWith('B-'), tag: label.slice(2) }
    : { begins: false, tag: label };

const afterDash = (label: string): string => label.slice(label.indexOf('-') + 1);

const span = (
  parts: readonly { readonly start: number; readonly end: number }[],
): { start: number; end: number } => ({ start: parts[0]?.start ?? 0, end: parts.at(-1)?.end ?? 0 });

/** Neighbours that belong together. */
const runs = <T>(items: readonly T[], goesOn: (item: T, before: T) => boolean): T[][] => {
  const found: T[][] = [];
  for (const item of items) {
    const run = found.at(-1);
    const before = run?.at(-1);
    if (run !== undefined && before !== undefined && goesOn(item, before)) run.push(item);
    else found.push([item]);
  }
  return found;
};
