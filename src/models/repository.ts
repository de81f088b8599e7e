import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CarpoolError, messageOf } from '../errors.js';
import { CARD, readCard, wholeCard } from './card-file.js';
import { cardSchema, type Card } from './card.js';
import { digestOf } from './digest.js';
import { unlessClosed } from './gone.js';
import { resolveInRoot } from './paths.js';
import { readBeside } from './read-beside.js';
import { looksLikeModel, versionsIn } from './versions/folders.js';

/** A model as it lies on disk, read and checked, not yet opened. */
export interface ModelSource {
  readonly name: string;
  /** Real path of the ONNX file. */
  readonly file: string;
  readonly card: Card;
  readonly labels?: readonly string[];
  /** Text models: the tokenizer's files as text. */
  readonly tokenizer?: { readonly json: string; readonly configJson?: string };
}

export interface ModelRoot {
  /** Absolute folder that holds one folder per model. */
  readonly root: string;
  /** Absolute folder of the config file: the other base of relative paths. */
  readonly baseDir: string;
}

/**
 * Names of the folders in the root that look like a model, or that hold versions of one. Sorted.
 * @throws Node's error where the disk does not say
 */
export const listModels = async (root: string): Promise<string[]> => {
  const entries = (await unlessClosed(readdir(root, { withFileTypes: true }))) ?? [];
  const names: string[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
    const folder = join(root, entry.name);
    if ((await looksLikeModel(folder)) || (await versionsIn(folder)).length > 0) names.push(entry.name);
  }
  return names.sort();
};

/** What `models.load` names. */
export const wantedModels = async ({
  load,
  root,
}: {
  readonly load: '*' | readonly string[];
  readonly root: string;
}): Promise<readonly string[]> => (load === '*' ? listModels(root) : load);

/**
 * Reads what a name and a path say. Of a folder, what its card does not say is taken from the files of a Hugging Face
 * export, where there are some.
 * @param path folder or .onnx file, relative to the config file or to the model root, inside the root
 * @throws INVALID_REQUEST for a bad path, MODEL_LOAD_FAILED naming the file for all that is wrong in it
 */
export const readModel = async (name: string, path: string, where: ModelRoot): Promise<ModelSource> => {
  const found = await resolveInRoot(path, where.root, [where.baseDir, where.root]);
  const kind = await stat(found);
  const isFile = kind.isFile();
  if (isFile ? !found.endsWith('.onnx') : !kind.isDirectory())
    throw failed(`${basename(found)}: expected a folder or an .onnx file`);
  const folder = isFile ? dirname(found) : found;
  const inFolder = (file: string, key: string): Promise<string> =>
    resolveInRoot(file, where.root, [folder]).catch((error: unknown) => {
      throw failed(`${join(folder, CARD)}: ${key}: ${messageOf(error)}`);
    });
  const given = await readCard(folder, where.root);
  // A file named by itself is served as plain tensors unless it is the one that the card beside it describes.
  if (isFile) {
    const described = given === undefined ? undefined : inFolder(given.card.file, 'file');
    if ((await described?.catch(() => undefined)) !== found)
      return { name, file: found, card: cardSchema.parse({ file: basename(found) }) };
  }

  const card = await wholeCard(folder, where.root, given);
  const file = await inFolder(card.file, 'file');
  if (card.sha256 !== undefined) await checkDigest(file, card.sha256);
  const source: ModelSource = {
    name,
    file,
    card,
    ...(card.labels === undefined ? {} : { labels: card.labels }),
  };
  if (!TEXT_TASKS.includes(card.task)) return source;

  const json = await readText(await inFolder(card.text?.tokenizer ?? 'tokenizer.json', 'text.tokenizer'));
  const configJson = await readBeside(folder, 'tokenizer_config.json', where.root);
  return { ...source, tokenizer: { json, ...(configJson === undefined ? {} : { configJson }) } };
};

const TEXT_TASKS: readonly Card['task'][] = [
  'text-classification',
  'token-classification',
  'embedding',
  'rerank',
];

const failed = (message: string): CarpoolError => new CarpoolError('MODEL_LOAD_FAILED', message);

const readText = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((error: unknown) => {
    throw failed(`${file}: ${messageOf(error)}`);
  });

const checkDigest = async (file: string, expected: string): Promise<void> => {
  const got = await digestOf(file);
  if (got !== expected) throw failed(`${file}: sha256 is ${got}, the card says ${expected}`);
};
