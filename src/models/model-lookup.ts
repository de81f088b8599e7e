import { CarpoolError } from '../errors.js';
import type { ServedModel } from './served-model.js';

/** The models as one caller sees them: one version of each name. */
export interface ModelLookup {
  /** Of each name the version that answers, by name. */
  readonly all: readonly ServedModel[];
  readonly defaultModel: string | undefined;
  /** @throws MODEL_NOT_FOUND naming the nearest one; MODEL_UNAVAILABLE where loading it failed or has not ended */
  get(name: string): ServedModel;
  /**
   * The model for raw texts: the one named, else the configured default, else the only one that takes texts.
   * @throws MODEL_NOT_FOUND, MODEL_UNAVAILABLE, INVALID_REQUEST
   */
  textModel(name: string | undefined): ServedModel;
  /** @throws MODEL_UNAVAILABLE while the models are still being loaded */
  requireOpen(): void;
}

/** `textModel`, over the rest of a lookup. */
export const findTextModel = (
  lookup: Omit<ModelLookup, 'textModel'>,
  name: string | undefined,
): ServedModel => {
  const wanted = name ?? lookup.defaultModel;
  if (wanted !== undefined) {
    const model = lookup.get(wanted);
    if (model.info.takesTexts) return model;
    throw new CarpoolError(
      'INVALID_REQUEST',
      `model '${wanted}' takes tensors, not texts; use POST /v1/models/${wanted}/infer`,
    );
  }
  lookup.requireOpen();
  const [only, another] = lookup.all.filter((model) => model.info.takesTexts);
  if (only !== undefined && another === undefined) return only;
  throw new CarpoolError(
    only === undefined ? 'MODEL_NOT_FOUND' : 'INVALID_REQUEST',
    only === undefined
      ? 'no model that takes texts is loaded'
      : 'several models take texts: say which one with "model", or set models.default',
  );
};
