import type { ModelLookup } from '../models/model-lookup.js';
import type { ServedModel } from '../models/served-model.js';
import { textModelOf } from '../models/text-model.js';
import { withoutNames } from './admin-calls.js';
import type { Action } from './need.js';
import { requireRight, type Principal } from './principal.js';

interface Caller {
  readonly principal: Principal;
}

/** The models that a request may choose from, for an action. */
export const modelsFor = (models: ModelLookup, caller: Caller, action: Action): ModelLookup =>
  caller.principal.mayAll(action) ? models : new AllowedModels(models, caller, action);

class AllowedModels implements ModelLookup {
  readonly #models: ModelLookup;
  readonly #caller: Caller;
  readonly #action: Action;

  constructor(models: ModelLookup, caller: Caller, action: Action) {
    this.#models = models;
    this.#caller = caller;
    this.#action = action;
  }

  get all(): readonly ServedModel[] {
    const { principal } = this.#caller;
    return this.#models.all.filter(({ info }) => principal.may(this.#action, info.name));
  }

  get defaultModel(): string | undefined {
    return this.#models.defaultModel;
  }

  get(name: string): ServedModel {
    // Before it is looked for, so that the answer is the same where it is not.
    requireRight(this.#caller, this.#action, name);
    try {
      return this.#models.get(name);
    } catch (error) {
      throw withoutNames(error, name);
    }
  }

  textModel(name: string | undefined): ServedModel {
    return textModelOf(this, name);
  }

  requireOpen(): void {
    this.#models.requireOpen();
  }
}
