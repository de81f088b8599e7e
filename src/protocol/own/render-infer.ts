import { classifyRows } from '../../codec/tasks/index.js';
import { CarpoolError } from '../../errors.js';
import type { InferRequest, InferResult } from '../../infer.js';
import type { ModelInfo } from '../../models/model-info.js';
import type { Tensor } from '../../tensor.js';
import { shortFloat32 } from '../json/short-float32.js';
import { jsonOfTensor } from '../json/tensor-json.js';
import type { InferAnswer } from './answer.js';
import { imagePredictions } from './image-members.js';
import { objectJson, type Member } from './members.js';
import { taskFields } from './render-texts.js';
import type { Members } from './text-members.js';

/**
 * The tensors of several items, row after row, as one list. They are not joined first: the tails of ragged outputs
 * differ from item to item. A lone item is printed as it is, for its output may have no batch axis at all.
 */
const jsonOfItems = (tensors: readonly Tensor[]): string => {
  const [first, ...others] = tensors;
  if (first !== undefined && others.length === 0) return jsonOfTensor(first);
  const rows = tensors.map((tensor) => {
    const json = jsonOfTensor(tensor);
    return tensor.dims.length === 0 ? json : json.slice(1, -1);
  });
  return `[${rows.filter((row) => row !== '').join(',')}]`;
};

const outputsMember = (info: ModelInfo, request: InferRequest, result: InferResult): Member => {
  const wanted = request.options.outputs ?? [];
  const members: Member[] = [];
  for (const [index, { name }] of info.signature.outputs.entries()) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const tensors = result.items.map(({ outputs }) => {
      const tensor = outputs[index];
      if (tensor === undefined)
        throw new CarpoolError('INTERNAL', `${info.name}: a result lacks output ${name}`);
      return tensor;
    });
    members.push([name, jsonOfItems(tensors)]);
  }
  return ['outputs', objectJson(members)];
};

const rowMembers = (info: ModelInfo, result: InferResult): Members => {
  const { classifier } = info.card;
  const rows = classifyRows(info, result.items);
  if (classifier === undefined || rows === undefined) return [];
  // In the digits of `probabilities`, where the same numbers stand.
  const isDouble = rows.probabilities[0]?.dtype === 'float64';
  const confidence = isDouble ? rows.confidence : rows.confidence.map(shortFloat32);
  return [
    ['predictions', JSON.stringify(rows.predictions)],
    ['probabilities', jsonOfItems(rows.probabilities)],
    ['confidence', JSON.stringify(confidence)],
    [classifier.flag, JSON.stringify(rows.flags)],
  ];
};

/** Of what tokens and images say only the task's part is wanted, unless outputs are named: the rest is large. */
const showsOutputs = (
  info: ModelInfo,
  { images }: InferAnswer,
  { options }: InferRequest,
  result: InferResult,
): boolean => {
  if (images === true) return (options.outputs ?? []).length > 0;
  const isPerToken = info.card.task === 'token-classification' || info.card.task === 'embedding';
  return !isPerToken || result.texts === undefined || (options.outputs ?? []).length > 0;
};

const taskMembers = (
  info: ModelInfo,
  answer: InferAnswer,
  request: InferRequest,
  result: InferResult,
): Members => {
  switch (info.card.task) {
    case 'text-classification':
    case 'rerank':
      return taskFields(info, answer, request, result);
    case 'token-classification':
    case 'embedding':
      // What is given as tensors says nothing of its tokens.
      return result.texts === undefined ? [] : taskFields(info, answer, request, result);
    case 'tabular-classification':
      return rowMembers(info, result);
    case 'image-classification':
      return answer.images === true ? [imagePredictions(info, answer, result)] : [];
    case 'tensor':
      return [];
  }
};

/**
 * Answer of `POST /v1/models/M/infer`: `{"model_name", "model_version", "outputs": {name: nested, …}}` and the fields of
 * the model's task: those of `/predict` for texts; `predictions`, `probabilities`, `confidence` and the card's flag for
 * tabular ones. The request's `outputs` picks among the outputs; the task's fields are there always.
 */
export const renderInfer = (
  info: ModelInfo,
  answer: InferAnswer,
  request: InferRequest,
  result: InferResult,
): string =>
  objectJson([
    ['model_name', JSON.stringify(info.name)],
    ['model_version', JSON.stringify(info.card.version)],
    ...(showsOutputs(info, answer, request, result) ? [outputsMember(info, request, result)] : []),
    ...taskMembers(info, answer, request, result),
  ]);
