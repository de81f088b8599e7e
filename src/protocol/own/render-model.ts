import type { ModelInfo } from '../../models/model-info.js';
import type { TensorSpec } from '../../tensor.js';

/**
 * Field names of the own protocol: snake_case in answers (`model_name`, `loaded_at`), as its reference documents have
 * them, but for values that are settings (`batching`, `text`): these keep the camelCase of config.yaml and of the card,
 * so that they can be looked up and copied there.
 */

const tensorView = ({ name, dtype, shape }: TensorSpec, features?: readonly string[]): object => ({
  name,
  dtype,
  shape,
  ...(features === undefined ? {} : { features }),
});

const modelView = (info: ModelInfo): object => {
  const { card, signature } = info;
  const features = new Map(Object.entries(card.features ?? {}));
  return {
    name: info.name,
    version: card.version,
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
    batch: info.batch,
    batching: info.batching,
  };
};

/** Answer of `GET /v1/models/M`. Symbolic dimensions keep their names. */
export const renderModel = (info: ModelInfo): string => JSON.stringify(modelView(info));

/** Answer of `GET /v1/models`. */
export const renderModels = (infos: readonly ModelInfo[]): string =>
  JSON.stringify({ models: infos.map(modelView) });
