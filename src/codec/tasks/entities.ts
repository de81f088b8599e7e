import { CarpoolError } from '../../errors.js';
import type { InferResult, TextFacts, TextUnit } from '../../infer.js';
import type { ModelInfo } from '../../models/model-info.js';
import { codePointCounter } from '../code-points.js';
import { joinPieces } from '../join-pieces.js';
import { argmax, softmax } from './activation.js';
import { labelAt } from './class-scores.js';
import { groupTokens, mergeWords, type ScoredToken } from './entity-groups.js';
import { numbersOf, outputAt, outputIndex } from './outputs.js';

export const AGGREGATIONS = ['none', 'simple', 'first', 'average', 'max'] as const;
export type Aggregation = (typeof AGGREGATIONS)[number];

export interface Entity {
  /** With aggregation `none`: the token's label. */
  readonly entity?: string;
  /** With every other: the label without `B-` or `I-`. */
  readonly entity_group?: string;
  readonly score: number;
  readonly word: string;
  /** In Unicode code points of the text, as Python counts. */
  readonly start: number;
  readonly end: number;
  /** With aggregation `none`: the token's position, special tokens counted. */
  readonly index?: number;
}

export interface EntityOptions {
  /** Default `simple`. */
  readonly aggregation?: Aggregation;
}

/** Left out of the answer: outside of any entity. */
const IGNORED = 'O';

/**
 * Entities of each item, in the order of the text, as transformers' TokenClassificationPipeline finds them. Of a pair
 * the first text only. Softmax over the labels of each token.
 *
 * @param texts the request's texts
 * @param result of a request with `wants: {ids: true, offsets: true}`
 * @throws CarpoolError EXECUTION_FAILED when the output isn't `[1, tokens, labels]`
 */
export const entitiesOf = (
  info: ModelInfo,
  texts: readonly TextUnit[],
  { items, texts: facts = [] }: InferResult,
  { aggregation = 'simple' }: EntityOptions = {},
): Entity[][] => {
  const index = outputIndex(info, info.card.logits);
  return items.map((item, at) => {
    const fact = facts[at];
    const unit = texts[fact?.source ?? at];
    if (fact === undefined || unit === undefined)
      throw new CarpoolError('INTERNAL', `${info.name}: entities need the texts and their offsets`);
    const tensor = outputAt(info, item, index);
    const [rows, tokens, labels] = tensor.dims;
    if (rows !== 1 || tokens === undefined || labels === undefined || tokens < fact.tokens)
      throw new CarpoolError(
        'EXECUTION_FAILED',
        `${info.name}: expected logits [1, ${fact.tokens}, labels], got [${tensor.dims.join(',')}]`,
      );
    const text = typeof unit === 'string' ? unit : unit[0];
    const scored = scoredTokens(info, text, fact, numbersOf(tensor), labels);
    return entitiesOfText(info, text, scored, aggregation);
  });
};

const entitiesOfText = (
  info: ModelInfo,
  text: string,
  tokens: readonly ScoredToken[],
  aggregation: Aggregation,
): Entity[] => {
  const codePoints = codePointCounter(text);
  const join = (pieces: readonly string[]): string => joinPieces(info.tokenizer?.decoder ?? null, pieces);
  const labelOf = (label: number): string => labelAt(info, label);
  if (aggregation === 'none')
    return tokens.flatMap(({ scores, word, start, end, index }) => {
      const best = argmax(scores);
      const entity = labelOf(best);
      if (entity === IGNORED) return [];
      return [
        { entity, score: scores[best] ?? NaN, index, word, start: codePoints(start), end: codePoints(end) },
      ];
    });
  const words = mergeWords(tokens, aggregation, labelOf, join);
  return groupTokens(words, join)
    .filter(({ label }) => label !== IGNORED)
    .map(({ label, score, word, start, end }) => ({
      entity_group: label,
      score,
      word,
      start: codePoints(start),
      end: codePoints(end),
    }));
};

/** The tokens of the text itself, without the added ones and those of a second text. */
const scoredTokens = (
  info: ModelInfo,
  text: string,
  { tokens, ids, special, pieces, offsets, ofPair }: TextFacts,
  logits: ArrayLike<number>,
  labels: number,
): ScoredToken[] => {
  if (ids === undefined || special === undefined || pieces === undefined || offsets === undefined)
    throw new CarpoolError('INTERNAL', `${info.name}: entities need a request that wants ids and offsets`);
  const scored: ScoredToken[] = [];
  for (let index = 0; index < tokens; index++) {
    if (special[index] === 1 || ofPair?.[index] === 1) continue;
    const start = offsets[2 * index] ?? 0;
    const end = offsets[2 * index + 1] ?? 0;
    const piece = pieces[index] ?? '';
    const row = Array.from({ length: labels }, (_, label) => logits[index * labels + label] ?? NaN);
    const surface = text.slice(start, end);
    const unknown = ids[index] === info.tokenizer?.unknownId;
    scored.push({
      index,
      word: unknown ? surface : piece,
      continues: !unknown && continuesWord(info, text, piece, surface, start),
      scores: softmax(row),
      start,
      end,
    });
  }
  return scored;
};

/** Does a token go on with the word before it? Where the pieces don't tell, the space before it does. */
const continuesWord = (
  { tokenizer }: ModelInfo,
  text: string,
  piece: string,
  surface: string,
  start: number,
): boolean =>
  tokenizer?.wordAware === true
    ? Array.from(piece).length !== Array.from(surface).length
    : start > 0 && text[start - 1] !== ' ' && text[start] !== ' ';
