import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CarpoolError, messageOf } from '../errors.js';
import { looksOf } from '../file-looks.js';
import { digestOf } from './digest.js';
import { ExternalData } from './external-data.js';

/** What a lane reads of a version: the ONNX file and the weights that it keeps in other files, as they were at one time. */
export interface Seal {
  /** Hexadecimal SHA-256 of the ONNX file. */
  readonly sha256: string;
  /**
   * Costs a few file stats; where these have changed, a reading of all of it, once.
   * @throws MODEL_LOAD_FAILED where the content is another
   */
  readonly requireSame: () => Promise<void>;
}

interface Content {
  /** Of the ONNX file. */
  readonly sha256: string;
  readonly files: readonly string[];
  readonly looks: string;
  /** Of all files. */
  readonly digest: string;
}

/** @throws MODEL_LOAD_FAILED where the file can't be read */
export const sealOf = async (file: string): Promise<Seal> => {
  const read = (): Promise<Content> =>
    contentOf(file).catch((error: unknown) => {
      throw new CarpoolError('MODEL_LOAD_FAILED', `${file}: ${messageOf(error)}`);
    });
  const sealed = await read();
  /** Looks that are known to go with the same content, and with another. */
  let good = sealed.looks;
  let bad: string | undefined;
  const requireSame = async (): Promise<void> => {
    const looks = await looksOfAll(sealed.files);
    if (looks === good) return;
    const now = looks === bad ? undefined : await read();
    if (now?.digest !== sealed.digest) {
      bad = looks;
      throw new CarpoolError(
        'MODEL_LOAD_FAILED',
        `${file}: the file, or weights beside it, are not those any more that this version was tested with`,
      );
    }
    good = now.looks;
  };
  return { sha256: sealed.sha256, requireSame };
};

/** The looks are taken first: what is written while it is read looks another way afterwards. */
const contentOf = async (file: string): Promise<Content> => {
  const before = await looksOfAll([file]);
  const found = new ExternalData();
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    found.look(chunk);
  }
  const sha256 = hash.digest('hex');
  const files = found.names.map((name) => join(dirname(file), name));
  const looks = before + (await looksOfAll(files));
  const all = createHash('sha256').update(sha256);
  for (const each of files) all.update(`\0${await digestIfFile(each)}`);
  return { sha256, files: [file, ...files], looks, digest: all.digest('hex') };
};

/** One that is not there is for ONNX Runtime to tell; what is no file might never end. */
const digestIfFile = async (path: string): Promise<string> => {
  const isFile = await stat(path).then(
    (seen) => seen.isFile(),
    () => false,
  );
  return isFile ? digestOf(path) : 'none';
};

/** Names, places, sizes and times: other ones whenever a file has been written, replaced, or taken away. */
const looksOfAll = async (files: readonly string[]): Promise<string> => {
  let looks = '';
  for (const file of files) {
    const seen = await stat(file, { bigint: true }).catch(() => undefined);
    looks += `${file}\0${seen === undefined ? 'gone' : looksOf(seen)}\n`;
  }
  return looks;
};
