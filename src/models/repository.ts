import { lstat, readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { parse } from 'yaml';
import type { z } from 'zod';
import { CarpoolError, messageOf } from '../errors.js';
import { cardSchema, type Card } from './card.js';
import { digestOf } from './digest.js';
import { labelsOf } from './labels.js';
import { resolveInRoot } from './paths.js';

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

/** Names of the folders in the root that look like a model: a card or an ONNX file. Sorted. */
export const listModels = async (root: string): Promise<string[]> => {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  const names: string[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
    // A folder that can't be read (a volume's lost+found, say) is no model.
    const files = await readdir(join(root, entry.name)).catch(() => []);
    if (files.some((file) => file === CARD || file.endsWith('.onnx'))) names.push(entry.name);
  }
  return names.sort();
};

const CARD = 'model.yaml';

/**
 * Reads what a name and a path say.
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
  // A file named by itself is served as plain tensors unless it is the one that the card beside it describes.
  const card = await readCard(folder, where.root);
  const inFolder = (file: string, key: string): Promise<string> =>
    resolveInRoot(file, where.root, [folder]).catch((error: unknown) => {
      throw failed(`${join(folder, CARD)}: ${key}: ${messageOf(error)}`);
    });
  if (isFile && (card === undefined || (await inFolder(card.file, 'file').catch(() => undefined)) !== found))
    return { name, file: found, card: cardSchema.parse({ file: basename(found) }) };

  const known = card ?? cardSchema.parse({ file: await onlyOnnxFile(folder) });
  const file = await inFolder(known.file, 'file');
  if (known.sha256 !== undefined) await checkDigest(file, known.sha256);
  const labels = known.labels ?? labelsOf(await readBeside(folder, 'config.json', where.root));
  const source: ModelSource = { name, file, card: known, ...(labels === undefined ? {} : { labels }) };
  if (known.task !== 'text-classification') return source;

  const json = await readText(await inFolder(known.text?.tokenizer ?? 'tokenizer.json', 'text.tokenizer'));
  const configJson = await readBeside(folder, 'tokenizer_config.json', where.root);
  return { ...source, tokenizer: { json, ...(configJson === undefined ? {} : { configJson }) } };
};

const failed = (message: string): CarpoolError => new CarpoolError('MODEL_LOAD_FAILED', message);

/**
 * A file that a model may have or not. One that is there but can't be read must not be passed over: a card may hold the
 * digest. Nor may a link lead out of the root: messages show clients parts of what was read.
 */
const readBeside = async (folder: string, name: string, root: string): Promise<string | undefined> => {
  const file = join(folder, name);
  try {
    if (await isMissing(file)) return undefined;
    return await readFile(await resolveInRoot(name, root, [folder]), 'utf8');
  } catch (error) {
    throw failed(`${file}: ${messageOf(error)}`);
  }
};

/** A link that leads nowhere is there. */
const isMissing = async (file: string): Promise<boolean> => {
  try {
    await lstat(file);
    return false;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return true;
    throw error;
  }
};

const readCard = async (folder: string, root: string): Promise<Card | undefined> => {
  const file = join(folder, CARD);
  const text = await readBeside(folder, CARD, root);
  if (text === undefined) return undefined;
  let raw: unknown;
  try {
    raw = parse(text);
  } catch (error) {
    // The first line says what and where; the others quote the file.
    throw failed(`${file}: ${messageOf(error).split('\n', 1)[0] ?? ''}`);
  }
  const parsed = cardSchema.safeParse(raw ?? {});
  if (parsed.success) return parsed.data;
  throw failed(`${file}: ${parsed.error.issues.map(describeIssue).join('; ')}`);
};

const describeIssue = (issue: z.core.$ZodIssue): string =>
  `${issue.path.length === 0 ? '(root)' : issue.path.join('.')}: ${issue.message}`;

const onlyOnnxFile = async (folder: string): Promise<string> => {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.onnx'));
  if (files.includes('model.onnx')) return 'model.onnx';
  const [only, another] = files;
  if (only !== undefined && another === undefined) return only;
  throw failed(
    only === undefined
      ? `${folder}: no .onnx file and no ${CARD}`
      : `${folder}: several .onnx files (${files.join(', ')}) and no ${CARD} that names one`,
  );
};

const readText = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((error: unknown) => {
    throw failed(`${file}: ${messageOf(error)}`);
  });

const checkDigest = async (file: string, expected: string): Promise<void> => {
  const got = await digestOf(file);
  if (got !== expected) throw failed(`${file}: sha256 is ${got}, the card says ${expected}`);
};
