import { CarpoolError, codeOf, messageOf } from '../errors.js';
import { fixedLengthOf } from '../executor/pad.js';
import type { Card } from './card.js';
import type { ModelSource } from './repository.js';
import type { Signature } from './signature.js';

const BY_DEFAULT = { tokenizer: 'tokenizer.json', truncate: true, maxTokens: 512 };

/**
 * A text model's card with no more `maxTokens` than its file takes: one that was exported with a fixed sequence length
 * runs texts up to that length, and no longer ones.
 *
 * @param specialTokens tokens that are put around every text
 * @throws CarpoolError MODEL_LOAD_FAILED where they leave no room for a text
 */
export const withinFile = (card: Card, signature: Signature, specialTokens: number): Card => {
  const length = fixedLengthOf(signature) ?? Infinity;
  const text = { ...BY_DEFAULT, ...card.text };
  if (length <= specialTokens)
    throw new CarpoolError(
      'MODEL_LOAD_FAILED',
      `its sequences have ${length} tokens, expected more than the ${specialTokens} special ones`,
    );
  if (text.maxTokens <= specialTokens)
    throw new CarpoolError(
      'MODEL_LOAD_FAILED',
      `model.yaml: text.maxTokens: expected more than the ${specialTokens} special tokens, got ${text.maxTokens}`,
    );
  return length < text.maxTokens ? { ...card, text: { ...text, maxTokens: length } } : card;
};

/** `withinFile`, saying which file. */
export const textCard = ({ card, file }: ModelSource, signature: Signature, specialTokens: number): Card => {
  try {
    return withinFile(card, signature, specialTokens);
  } catch (error) {
    throw new CarpoolError(codeOf(error), `${file}: ${messageOf(error)}`);
  }
};
