import type { ServedModel } from './served-model.js';

/** The models that a request may choose from: the registry, or the part of it that its caller has a right to. */
export interface ModelLookup {
  /** By name. */
  readonly all: readonly ServedModel[];
  /** `models.default` */
  readonly defaultModel: string | undefined;
  /** @throws MODEL_NOT_FOUND, MODEL_UNAVAILABLE; FORBIDDEN for a name that the caller has no right to, there or not */
  get(name: string): ServedModel;
  /** The model for raw texts: the one named, else the configured default, else the only one that takes texts. */
  textModel(name: string | undefined): ServedModel;
  /** @throws MODEL_UNAVAILABLE before all are loaded */
  requireOpen(): void;
}
