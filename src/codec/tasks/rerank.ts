import { CarpoolError } from '../../errors.js';
import type { ItemOutput } from '../../infer.js';
import type { ModelInfo } from '../../models/model-info.js';
import { activate } from './activation.js';
import { logitRows, type ScoreOptions } from './class-scores.js';

/**
 * The one logit of each row as a score: its sigmoid unless `raw`, or the card's own activation.
 * @throws CarpoolError EXECUTION_FAILED when there are several
 */
export const rankScores = (
  info: ModelInfo,
  items: readonly ItemOutput[],
  { raw = false }: ScoreOptions = {},
): number[] =>
  logitRows(info, items).map((logits) => {
    const [score] = activate(logits, raw ? 'none' : (info.card.activation ?? 'sigmoid'));
    if (score === undefined || logits.length > 1)
      throw new CarpoolError(
        'EXECUTION_FAILED',
        `${info.name}: expected one logit a row, got ${logits.length}: not a reranker`,
      );
    return score;
  });
