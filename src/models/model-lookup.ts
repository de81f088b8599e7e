import type { ServedModel } from './served-model.js';

/** The models that a request may choose from, one version of each name: of those there are, or that its caller has a right to. */
export interface ModelLookup {
  /** Of each name the version that answers, by name. */
  readonly all: readonly ServedModel[];
  /** `models.default` */
  readonly defaultModel: string | undefined;
  /**
   * @param version '' or undefined = the caller's, or the default one where no request is to be run
   * @throws MODEL_NOT_FOUND, also for a version that is not loaded; MODEL_UNAVAILABLE; FORBIDDEN for a name that the caller
   * has no right to, there or not
   */
  get(name: string, version?: string): ServedModel;
  /** The model for raw texts: the one named, else the configured default, else the only one that takes texts. */
  textModel(name: string | undefined): ServedModel;
  /** @throws MODEL_UNAVAILABLE before all are loaded */
  requireOpen(): void;
}
