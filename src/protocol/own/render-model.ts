import type { CostReport } from '../../models/cost-report.js';
import type { BatchMode, ModelInfo } from '../../models/model-info.js';
import type { TensorSpec } from '../../tensor.js';
import { modelEntry } from '../openai/model-entry.js';

/**
 * Field names of the own protocol: snake_case in answers (`model_name`, `loaded_at`), as its reference documents have
 * them, but for values that are settings (`batching`, `text`): these keep the camelCase of config.yaml and of the card,
 * so that they can be looked up and copied there.
 */

/** A model and what its runs cost. */
export interface ModelAndCost {
  readonly info: ModelInfo;
  readonly cost: CostReport;
  /** `open`, `half-open`: it keeps losing lanes and is out of service, or being tried again. */
  readonly circuit: 'closed' | 'open' | 'half-open';
  /** Those that are loaded, the oldest first, where its folder has versions. */
  readonly versions?: readonly string[];
}

const tensorView = ({ name, dtype, shape }: TensorSpec, features?: readonly string[]): object => ({
  name,
  dtype,
  shape,
  ...(features === undefined ? {} : { features }),
});

const batchView = ({ invariance, ...batch }: BatchMode): object => {
  if (invariance === undefined) return batch;
  const { class: cls, enforced, tolerance, runs, cutShort, outputs } = invariance;
  return {
    ...batch,
    invariance: {
      class: cls,
      enforced,
      tolerance,
      outputs: outputs.map(({ name, equalLengths, padded }) => ({
        name,
        equal_lengths: equalLengths,
        padded,
      })),
      runs,
      ...(cutShort === true ? { cut_short: true } : {}),
    },
  };
};

const modelView = ({ info, cost, circuit, versions }: ModelAndCost): object => {
  const { card, signature } = info;
  const features = new Map(Object.entries(card.features ?? {}));
  return {
    name: info.name,
    version: card.version,
    ...(versions === undefined ? {} : { versions }),
    task: card.task,
    ...(card.description === undefined ? {} : { description: card.description }),
    takes_texts: info.takesTexts,
    inputs: signature.inputs.map((spec) => tensorView(spec, features.get(spec.name))),
    outputs: signature.outputs.map((spec) => tensorView(spec)),
    ...(info.labels === undefined ? {} : { labels: info.labels }),
    ...(card.text === undefined
      ? {}
      : { text: { maxTokens: card.text.maxTokens, truncate: card.text.truncate } }),
    loaded_at: info.loadedAt,
    batch: batchView(info.batch),
    batching: info.batching,
    cost,
    circuit,
  };
};

/**
 * Answer of `GET /v1/models/M`. Symbolic dimensions keep their names. What follows `cost` is for clients of OpenAI and
 * of KServe's first protocol.
 */
export const renderModel = (model: ModelAndCost): string =>
  JSON.stringify({ ...modelView(model), ready: model.circuit !== 'open', ...modelEntry(model.info) });

/** Answer of `GET /v1/models`; `object` and `data` are OpenAI's. */
export const renderModels = (models: readonly ModelAndCost[]): string =>
  JSON.stringify({
    models: models.map(modelView),
    object: 'list',
    data: models.map(({ info }) => modelEntry(info)),
  });
