import { describe, expect, it } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { WatchedFile } from '../../src/access/watched-file.js';
import { tempFolder } from '../support/start-gateway.js';
import { keepingLogger } from './support.js';

describe('a file that has changed', () => {
  it('and can not be read for a while is read as soon as it can, which is said once for each reason', async () => {
    const folder = await tempFolder();
    const file = path.join(folder.path, 'f');
    const log = keepingLogger();
    let nowMs = 0;
    let answer = (): Promise<string> => Promise.resolve('new');
    let reads = 0;
    const readText = (): Promise<string> => {
      reads++;
      return answer();
    };
    const parse = (text: string): string => {
      if (text === 'bad') throw new Error('nonsense');
      return text;
    };
    const look = async (): Promise<string> => {
      nowMs += 1000;
      return watched.current();
    };
    const reasons = (): readonly unknown[] => log.lines().map(({ reason }) => reason);
    await writeFile(file, 'old');
    const watched = new WatchedFile(file, parse, { now: () => nowMs, logger: log.logger, readText });
    try {
      await writeFile(file, 'a newer text');
      answer = () => Promise.reject(new Error('EMFILE'));
      expect([await look(), await look()]).toEqual(['old', 'old']);
      answer = () => Promise.reject(new Error('EACCES'));
      expect(await look()).toBe('old');
      expect(reasons()).toEqual(['EMFILE', 'EACCES']);
      answer = () => Promise.resolve('new');
      expect([await look(), await look(), reads]).toEqual(['new', 'new', 4]);
      expect(reasons()).toEqual(['EMFILE', 'EACCES', undefined]);
      // What is nonsense stays so: it is not read again.
      await writeFile(file, 'a text of another length');
      answer = () => Promise.resolve('bad');
      expect([await look(), await look(), reads]).toEqual(['new', 'new', 5]);
      expect(reasons()).toEqual(['EMFILE', 'EACCES', undefined, 'nonsense']);
    } finally {
      await folder.remove();
    }
  });
});
