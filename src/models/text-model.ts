import { CarpoolError } from '../errors.js';
import type { ModelLookup } from './model-lookup.js';
import type { ServedModel } from './served-model.js';

/**
 * The model for raw texts: the one named, else the configured default, else the only one that takes texts.
 *
 * @throws CarpoolError MODEL_NOT_FOUND, INVALID_REQUEST (it takes tensors; there are several), and as `get`
 */
export const textModelOf = (
  models: Omit<ModelLookup, 'textModel'>,
  name: string | undefined,
): ServedModel => {
  const wanted = name ?? models.defaultModel;
  if (wanted !== undefined) {
    const model = models.get(wanted);
    if (model.info.takesTexts) return model;
    throw new CarpoolError(
      'INVALID_REQUEST',
      `model '${wanted}' takes tensors, not texts; use POST /v1/models/${wanted}/infer`,
    );
  }
  models.requireOpen();
  const [only, another] = models.all.filter((model) => model.info.takesTexts);
  if (only !== undefined && another === undefined) return only;
  throw new CarpoolError(
    only === undefined ? 'MODEL_NOT_FOUND' : 'INVALID_REQUEST',
    only === undefined
      ? 'no model that takes texts is loaded'
      : 'several models take texts: say which one with "model", or set models.default',
  );
};
