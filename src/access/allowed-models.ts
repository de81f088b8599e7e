import type { ModelLookup } from '../models/model-lookup.js';
import type { ServedModel } from '../models/served-model.js';
import { textModelOf } from '../models/text-model.js';
import { withoutNames } from './admin-calls.js';
import type { Action } from './need.js';
import { requireRight, type Principal } from './principal.js';

interface Caller {
  readonly principal: Principal;
  /** Who shares the lanes and, where requests are split among versions, gets always the same one. */
  readonly caller: string;
}

interface Models extends ModelLookup {
  seenBy(caller: string): ModelLookup;
}

/** The models that a request may choose from, for an action; to run one, in the version that is its caller's. */
export const modelsFor = (models: Models, caller: Caller, action: Action): ModelLookup => {
  const seen = action === 'infer' ? models.seenBy(caller.caller) : models;
  return caller.principal.mayAll(action) ? seen : new AllowedModels(seen, caller, action);
};

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
    const name = this.#models.defaultModel;
    return name !== undefined && this.#caller.principal.may(this.#action, name) ? name : undefined;
  }

  get(name: string, version?: string): ServedModel {
    // Before it is looked for, so that the answer is the same where it is not.
    requireRight(this.#caller, this.#action, name);
    try {
      return this.#models.get(name, version);
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
