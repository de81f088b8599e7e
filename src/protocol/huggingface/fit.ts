import { entailmentOf } from '../../codec/tasks/index.js';
import { CarpoolError } from '../../errors.js';
import type { ModelInfo } from '../../models/model-info.js';
import type { ModelLookup } from '../../models/model-lookup.js';
import type { ServedModel } from '../../models/served-model.js';
import { chooseModel, isFor, type Fits } from '../common/choose-model.js';
import type { Parsed } from '../parse.js';
import type { HfAnswer } from './answer.js';

/** @throws Error where a request of another protocol got here */
export const hfAnswerOf = ({ answer }: Parsed): HfAnswer => {
  if (answer.kind !== 'hf')
    throw new Error(`a request of the Inference API was parsed as one of ${answer.kind}`);
  return answer;
};

/** The pipelines of the API, in the names of cards. */
const TASKS: Readonly<Record<string, ModelInfo['card']['task']>> = {
  'text-classification': 'text-classification',
  'sentiment-analysis': 'text-classification',
  'zero-shot-classification': 'text-classification',
  'token-classification': 'token-classification',
  ner: 'token-classification',
  'feature-extraction': 'embedding',
  'sentence-similarity': 'embedding',
  'text-ranking': 'rerank',
  'image-classification': 'image-classification',
};

/** @throws CarpoolError NOT_FOUND for one that there is none of */
export const taskOfPipeline = (pipeline: string): ModelInfo['card']['task'] => {
  const task = Object.hasOwn(TASKS, pipeline) ? TASKS[pipeline] : undefined;
  if (task !== undefined) return task;
  throw new CarpoolError(
    'NOT_FOUND',
    `no pipeline '${pipeline.slice(0, 40)}'; there are ${Object.keys(TASKS).join(', ')}`,
  );
};

const isZeroShot: Fits = (info) => info.card.task === 'text-classification' && entailmentOf(info) !== -1;

const names = 'name it in the path, /models/NAME';

/**
 * The model for a request: the one in the path, else what the body asks for, else the default one.
 * @throws CarpoolError as `chooseModel`
 */
export const hfModel = (
  models: ModelLookup,
  name: string | undefined,
  { similarity, ranks, zeroShot }: HfAnswer,
): ServedModel => {
  if (similarity === true) return chooseModel(models, name, isFor('embedding'), 'embeddings', names);
  if (ranks !== undefined) return chooseModel(models, name, isFor('rerank'), 'reranking', names);
  if (zeroShot !== undefined) return chooseModel(models, name, isZeroShot, 'zero-shot', names);
  if (name !== undefined || models.defaultModel !== undefined) return models.textModel(name);
  return chooseModel(models, undefined, ({ takesTexts }) => takesTexts, 'texts', names);
};

/** @throws CarpoolError as `chooseModel` */
export const hfImageModel = (models: ModelLookup, name: string | undefined): ServedModel =>
  chooseModel(models, name, isFor('image-classification'), 'images', names);

/** Labels that the API tells of an image. */
const USUAL_TOP = 5;

/** The request of a body that is an image. */
export const hfImage = (bytes: Uint8Array): Parsed => ({
  request: { input: { kind: 'images', images: [bytes] }, options: {} },
  answer: { kind: 'hf', single: true, topK: USUAL_TOP },
});

/** Entities need the places of tokens, embeddings no vectors of tokens. */
export const hfRequest = (info: ModelInfo, parsed: Parsed): Parsed => {
  const needs =
    info.card.task === 'token-classification' ? { wants: { ids: true, offsets: true } } : { pooled: true };
  const options = { ...parsed.request.options, ...needs };
  return { ...parsed, request: { ...parsed.request, options } };
};
