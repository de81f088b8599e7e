import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { z } from 'zod';
import { keyOf } from '../codec/key-of.js';
import { CarpoolError, messageOf } from '../errors.js';
import { cardSchema, type Card } from './card.js';
import { foundCard, type FoundCard } from './hf-card.js';
import { readHfFiles, type HfFiles } from './hf-files.js';
import { isMissing, readBeside } from './read-beside.js';

export const CARD = 'model.yaml';
const USUAL = 'model.onnx';
/** Where Hugging Face's repositories keep it. */
export const EXPORTED = 'onnx/model.onnx';

const failed = (message: string): CarpoolError => new CarpoolError('MODEL_LOAD_FAILED', message);

/** A card as it is written, and with its defaults. */
export interface GivenCard {
  readonly raw: object;
  readonly card: Card;
}

export const readCard = async (folder: string, root: string): Promise<GivenCard | undefined> => {
  const text = await readBeside(folder, CARD, root);
  if (text === undefined) return undefined;
  const file = join(folder, CARD);
  let raw: unknown;
  try {
    raw = parse(text);
  } catch (error) {
    // The first line says what and where; the others quote the file.
    throw failed(`${file}: ${messageOf(error).split('\n', 1)[0] ?? ''}`);
  }
  const parsed = cardSchema.safeParse(raw ?? {});
  if (parsed.success) return { raw: Object(raw ?? {}) as object, card: parsed.data };
  throw failed(`${file}: ${parsed.error.issues.map(describeIssue).join('; ')}`);
};

/** The card with what the other files of the folder say under it. */
export const wholeCard = async (
  folder: string,
  root: string,
  given: GivenCard | undefined,
): Promise<Card> => {
  const files = await readHfFiles(folder, root);
  const found = cardFrom(folder, files, given?.card);
  const raw = { ...(given?.raw ?? {}) };
  const file =
    given !== undefined && 'file' in raw ? given.card.file : await onnxFile(folder, given !== undefined);
  const merged = {
    ...found,
    ...raw,
    file,
    ...mergedPart('text', found, raw),
    ...mergedPart('embedding', found, raw),
    ...mergedPart('image', found, raw),
  };
  return cardSchema.parse(merged);
};

/** @param given its keys win, so what is wrong with those of the files does not matter then */
const cardFrom = (folder: string, files: HfFiles, given: Card | undefined): FoundCard => {
  try {
    return foundCard(files);
  } catch (error) {
    if (given !== undefined) return {};
    throw failed(`${folder}/${messageOf(error)}`);
  }
};

const mergedPart = (key: string, found: object, raw: object): object => {
  const parts = [keyOf(found, key), keyOf(raw, key)].filter((part) => typeof part === 'object');
  return parts.length === 0 ? {} : { [key]: Object.assign({}, ...parts) as object };
};

const describeIssue = (issue: z.core.$ZodIssue): string =>
  `${issue.path.length === 0 ? '(root)' : issue.path.join('.')}: ${issue.message}`;

/** The usual one, or the only one; a card that names none means the usual one. */
const onnxFile = async (folder: string, hasCard: boolean): Promise<string> => {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.onnx'));
  if (files.includes(USUAL)) return USUAL;
  if (!(await isMissing(join(folder, EXPORTED)))) return EXPORTED;
  if (hasCard) return USUAL;
  const [only, another] = files;
  if (only !== undefined && another === undefined) return only;
  throw failed(
    only === undefined
      ? `${folder}: no .onnx file and no ${CARD}`
      : `${folder}: several .onnx files (${files.join(', ')}) and no ${CARD} that names one`,
  );
};
