import { classifyRows } from '../../codec/tasks/index.js';
import { CarpoolError } from '../../errors.js';
import type { InferRequest, InferResult } from '../../infer.js';
import type { ModelInfo } from '../../models/model-info.js';
import type { Tensor } from '../../tensor.js';
import { shortFloat32 } from '../json/short-float32.js';
import { jsonOfTensor } from '../json/tensor-json.js';
import { textPredictionsJson } from './render-predict.js';

/** One member of an object; `json` is text already. */
const member = (key: string, json: string): string => `${JSON.stringify(key)}:${json}`;

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

const outputsJson = (info: ModelInfo, request: InferRequest, result: InferResult): string => {
  const wanted = request.options.outputs ?? [];
  const members: string[] = [];
  for (const [index, { name }] of info.signature.outputs.entries()) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const tensors = result.items.map(({ outputs }) => {
      const tensor = outputs[index];
      if (tensor === undefined)
        throw new CarpoolError('INTERNAL', `${info.name}: a result lacks output ${name}`);
      return tensor;
    });
    members.push(member(name, jsonOfItems(tensors)));
  }
  return `{${members.join(',')}}`;
};

const rowMembers = (info: ModelInfo, result: InferResult): string[] => {
  const { classifier } = info.card;
  const rows = classifyRows(info, result.items);
  if (classifier === undefined || rows === undefined) return [];
  // In the digits of `probabilities`, where the same numbers stand.
  const isDouble = rows.probabilities[0]?.dtype === 'float64';
  const confidence = isDouble ? rows.confidence : rows.confidence.map(shortFloat32);
  return [
    member('predictions', JSON.stringify(rows.predictions)),
    member('probabilities', jsonOfItems(rows.probabilities)),
    member('confidence', JSON.stringify(confidence)),
    member(classifier.flag, JSON.stringify(rows.flags)),
  ];
};

const taskMembers = (info: ModelInfo, result: InferResult): string[] => {
  switch (info.card.task) {
    case 'text-classification':
      return [member('predictions', textPredictionsJson(info, false, result))];
    case 'tabular-classification':
      return rowMembers(info, result);
    case 'tensor':
    case 'image-classification':
    case 'token-classification':
    case 'embedding':
    case 'rerank':
      return [];
  }
};

/**
 * Answer of `POST /v1/models/M/infer`: `{"model_name", "model_version", "outputs": {name: nested, …}}` and the fields of
 * the model's task: `predictions` as in `/predict` for text classifiers; `predictions`, `probabilities`, `confidence` and
 * the card's flag for tabular ones. The request's `outputs` picks among the outputs; the task's fields are there always.
 */
export const renderInfer = (info: ModelInfo, request: InferRequest, result: InferResult): string =>
  `{${[
    member('model_name', JSON.stringify(info.name)),
    member('model_version', JSON.stringify(info.card.version)),
    member('outputs', outputsJson(info, request, result)),
    ...taskMembers(info, result),
  ].join(',')}}`;
