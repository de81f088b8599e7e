import { CarpoolError } from '../../errors.js';
import type { ModelInfo } from '../../models/model-info.js';
import type { ModelLookup } from '../../models/model-lookup.js';
import type { ServedModel } from '../../models/served-model.js';

export type Fits = (info: ModelInfo) => boolean;

export const isFor =
  (...tasks: readonly ModelInfo['card']['task'][]): Fits =>
  ({ card }) =>
    tasks.includes(card.task);

/**
 * The model for a kind of work, where clients have no place for a name: the one named if there is a name, else the
 * configured default if it fits, else the only one that does.
 * @param what for messages: `embeddings`
 * @param names how a request may name one, for messages
 * @throws CarpoolError MODEL_NOT_FOUND, MODEL_UNAVAILABLE, INVALID_REQUEST (the one named is for something else; several fit)
 */
export const chooseModel = (
  models: ModelLookup,
  name: string | undefined,
  fits: Fits,
  what: string,
  names = 'say which one with "model"',
): ServedModel => {
  if (name !== undefined) {
    const model = models.get(name);
    if (fits(model.info)) return model;
    throw new CarpoolError(
      'INVALID_REQUEST',
      `model: '${name}' is for ${model.info.card.task}, not for ${what}`,
    );
  }
  models.requireOpen();
  const fitting = models.all.filter(({ info }) => fits(info));
  const usual = fitting.find(({ info }) => info.name === models.defaultModel);
  const [only, another] = fitting;
  const chosen = usual ?? (another === undefined ? only : undefined);
  if (chosen !== undefined) return chosen;
  if (only === undefined) throw new CarpoolError('MODEL_NOT_FOUND', `no model for ${what} is loaded`);
  throw new CarpoolError(
    'INVALID_REQUEST',
    `model: several are for ${what} (${fitting.map(({ info }) => info.name).join(', ')}): ${names}, or set models.default`,
  );
};
