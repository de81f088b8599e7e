import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Writes a file in one step: a reader sees the old one or the new one. @throws where its folder can't be written */
export const writeWhole = async (file: string, text: string): Promise<void> => {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  try {
    await writeFile(draft, text);
    await rename(draft, file);
  } catch (error) {
    // A full disk leaves half a file, and may refuse this, too.
    await rm(draft, { force: true }).catch(() => undefined);
    throw error;
  }
};
