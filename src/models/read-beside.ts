import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CarpoolError, messageOf } from '../errors.js';
import { isGone } from './gone.js';
import { resolveInRoot } from './paths.js';

/**
 * A file that a model may have or not. One that is there but can't be read must not be passed over: a card may hold the
 * digest. Nor may a link lead out of the root: messages show clients parts of what was read.
 * @param name relative to `folder`
 * @throws MODEL_LOAD_FAILED naming the file
 */
export const readBeside = async (folder: string, name: string, root: string): Promise<string | undefined> => {
  const file = join(folder, name);
  try {
    if (await isMissing(file)) return undefined;
    return await readFile(await resolveInRoot(name, root, [folder]), 'utf8');
  } catch (error) {
    throw new CarpoolError('MODEL_LOAD_FAILED', `${file}: ${messageOf(error)}`);
  }
};

/** A link that leads nowhere is there. */
export const isMissing = async (file: string): Promise<boolean> => {
  try {
    await lstat(file);
    return false;
  } catch (error) {
    if (isGone(error)) return true;
    throw error;
  }
};
