import type { ServerResponse } from 'node:http';
import type { Exchange } from '../../http/exchange.js';
import type { ModelLookup } from '../../models/model-lookup.js';
import type { ServedModel } from '../../models/served-model.js';
import { chooseModel, isFor } from '../common/choose-model.js';
import type { Parsed } from '../parse.js';
import type { Responder } from '../respond.js';
import type { TeiAnswer } from './answer.js';
import { teiHeaders } from './headers.js';

/** @throws Error where a request of another protocol got here */
export const teiAnswerOf = ({ answer }: Parsed): TeiAnswer => {
  if (answer.kind !== 'tei') throw new Error(`a request of TEI was parsed as one of ${answer.kind}`);
  return answer;
};

export const answerTei = (
  responder: Responder,
  model: ServedModel,
  parsed: Parsed,
  res: ServerResponse,
  exchange: Exchange,
): Promise<void> => {
  const { characters } = teiAnswerOf(parsed);
  return responder.answer(model, parsed, res, exchange, (result) =>
    teiHeaders(characters, result, exchange.elapsedMs),
  );
};

/** A classifier; where there is none, a reranker: its one label's score. */
export const teiClassifier = (models: ModelLookup, name: string | undefined): ServedModel => {
  const isClassifier = isFor('text-classification');
  const hasClassifier = models.all.some(({ info }) => isClassifier(info));
  const fits = name === undefined && hasClassifier ? isClassifier : isFor('text-classification', 'rerank');
  return chooseModel(models, name, fits, 'text classification');
};
