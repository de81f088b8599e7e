import { CarpoolError } from '../errors.js';
import type { ModelInfo } from '../models/model-info.js';
import type { Signature } from '../models/signature.js';
import { canvasOf, type Recipe } from './recipe.js';
import { recipeOf } from './recipe-of.js';

/** @throws CarpoolError INVALID_REQUEST for a model that takes no images */
export const recipeFor = ({ name, card, signature }: ModelInfo): Recipe => {
  const recipe = recipeOf(card.image, signature);
  if (card.task !== 'image-classification' || 'problem' in recipe)
    throw new CarpoolError('INVALID_REQUEST', `model '${name}' takes no images: it is for ${card.task}`);
  return recipe;
};

/** The signature with the sides of the images that will come, where the file leaves them open. */
export const framedSignature = (
  { task, image }: Pick<ModelInfo['card'], 'task' | 'image'>,
  signature: Signature,
): Signature => {
  const recipe = recipeOf(image, signature);
  const [input] = signature.inputs;
  if (task !== 'image-classification' || 'problem' in recipe || input === undefined) return signature;
  const canvas = canvasOf(recipe);
  if (canvas === undefined) return signature;
  const [rows = 1] = input.shape;
  const { width, height } = canvas;
  const shape = recipe.layout === 'nchw' ? [rows, 3, height, width] : [rows, height, width, 3];
  return { ...signature, inputs: [{ ...input, shape }] };
};
