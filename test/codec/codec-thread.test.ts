import { spawn as spawnProcess } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { CodecThread } from '../../src/codec/codec-thread.js';
import type { CodecThreadOptions, JobOptions } from '../../src/codec/codec-thread.js';
import type { EncodedTexts } from '../../src/codec/encoded-texts.js';
import { CarpoolError } from '../../src/errors.js';
import { filled, recordedSpawn, rejectionOf, spamTokenizerJson } from './fixtures.js';

const json = spamTokenizerJson();
/** 100 ms of work or more: still under way when the test acts. */
const LONG = filled('please send the report by friday ', 500_000);

interface Setup {
  readonly thread: CodecThread;
  readonly workers: Worker[];
  readonly deaths: string[];
  readonly encode: (text: string, options?: JobOptions) => Promise<EncodedTexts>;
}

const opened: CodecThread[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((thread) => thread.close()));
});

const setup = async (options: CodecThreadOptions = {}): Promise<Setup> => {
  const { spawn, workers } = recordedSpawn();
  const deaths: string[] = [];
  const thread = new CodecThread({ spawn, onDeath: (reason) => deaths.push(reason), ...options });
  opened.push(thread);
  if (options.spawn === undefined) await thread.openTokenizer({ key: 'spam', json });
  const encode = (text: string, jobOptions?: JobOptions): Promise<EncodedTexts> =>
    thread.run('encode', { key: 'spam', texts: [text], maxTokens: 1e9, truncate: true }, jobOptions);
  return { thread, workers, deaths, encode };
};

const lastOf = (workers: readonly Worker[]): Worker => workers.at(-1)!;

describe('CodecThread', () => {
  it('answers in order, each job with its own answer', async () => {
    const { encode } = await setup();
    const order: number[] = [];
    const lengths = await Promise.all(
      [LONG, 'one', 'one two'].map(async (text, index) => {
        const { lengths } = await encode(text);
        order.push(index);
        return lengths[0];
      }),
    );
    expect(order).toEqual([0, 1, 2]);
    expect(lengths.slice(1)).toEqual([3, 4]);
  });

  it('is busy while it has a job', async () => {
    const { thread, encode } = await setup();
    expect(thread.isBusy).toBe(false);
    const answers = [encode('one'), encode('two')];
    expect(thread.isBusy).toBe(true);
    await Promise.all(answers);
    expect(thread.isBusy).toBe(false);
  });

  it('hands a job’s error on with its code', async () => {
    const { thread, encode } = await setup();
    const refused = thread.run('encode', { key: 'spam', texts: ['a b c'], maxTokens: 2, truncate: false });
    expect((await rejectionOf(refused)).code).toBe('INPUT_TOO_LONG');
    const unknown = thread.run('encode', { key: 'nobody', texts: ['a'], maxTokens: 8, truncate: true });
    expect((await rejectionOf(unknown)).code).toBe('MODEL_UNAVAILABLE');
    const broken = thread.openTokenizer({ key: 'broken', json: '{' });
    expect((await rejectionOf(broken)).code).toBe('MODEL_LOAD_FAILED');
    expect((await encode('still here')).lengths).toHaveLength(1);
  });

  it('fails the job it died in, and only that', async () => {
    const { workers, deaths, encode } = await setup();
    const underWay = encode(LONG);
    const waiting = encode('one');
    void lastOf(workers).terminate();
    expect((await rejectionOf(underWay)).code).toBe('MODEL_UNAVAILABLE');
    expect((await waiting).lengths[0]).toBe(3);
    expect((await encode('one two')).lengths[0]).toBe(4);
    expect(workers).toHaveLength(2);
    expect(deaths).toEqual(['exit code 1']);
  });

  it('is replaced when it dies without a job, and opens only what is still open', async () => {
    const { thread, workers, encode } = await setup();
    await thread.openTokenizer({ key: 'other', json });
    await thread.closeTokenizer('other');
    await thread.closeTokenizer('never opened');
    await lastOf(workers).terminate();
    expect((await encode('one')).lengths[0]).toBe(3);
    expect(workers).toHaveLength(2);
    const closed = thread.run('encode', { key: 'other', texts: ['a'], maxTokens: 8, truncate: true });
    expect((await rejectionOf(closed)).code).toBe('MODEL_UNAVAILABLE');
  });

  it('does not start threads for ever that die at once', async () => {
    const workers: Worker[] = [];
    const spawn = (): Worker => {
      const worker = new Worker('throw new Error("no such thing")', { eval: true });
      workers.push(worker);
      return worker;
    };
    const { thread } = await setup({ spawn });
    const outcomes = await Promise.all([
      rejectionOf(thread.start()),
      rejectionOf(thread.run('ping', undefined)),
    ]);
    for (const { code, message } of outcomes) {
      expect(code).toBe('MODEL_UNAVAILABLE');
      expect(message).toContain('no such thing');
    }
    expect(workers).toHaveLength(1);
    await rejectionOf(thread.run('ping', undefined));
    expect(workers).toHaveLength(2);
  });

  it('drops a waiting job when its caller goes', async () => {
    const { workers, encode } = await setup();
    const posted = jest.spyOn(lastOf(workers), 'postMessage');
    const controller = new AbortController();
    const first = encode(LONG);
    const dropped = encode('never run', { signal: controller.signal });
    const third = encode('one');
    controller.abort();
    expect((await rejectionOf(dropped)).code).toBe('CLIENT_GONE');
    await Promise.all([first, third]);
    expect(posted).toHaveBeenCalledTimes(2);
  });

  it('lets a caller go while its job is under way', async () => {
    const { encode } = await setup();
    const controller = new AbortController();
    const underWay = encode(LONG, { signal: controller.signal });
    controller.abort(new CarpoolError('DEADLINE_EXCEEDED', 'too late'));
    expect(await rejectionOf(underWay)).toEqual({ code: 'DEADLINE_EXCEEDED', message: 'too late' });
    expect((await encode('one')).lengths[0]).toBe(3);
    const gone = encode('one', { signal: controller.signal });
    expect((await rejectionOf(gone)).code).toBe('DEADLINE_EXCEEDED');
  });

  it('says so when an input cannot be posted', async () => {
    const { thread, encode } = await setup();
    const texts = [(() => 'a function') as unknown as string];
    const refused = thread.run('encode', { key: 'spam', texts, maxTokens: 8, truncate: true });
    expect((await rejectionOf(refused)).code).toBe('INTERNAL');
    expect((await encode('one')).lengths[0]).toBe(3);
  });

  it('ends on close, in the middle of a job too', async () => {
    const { thread, workers, encode, deaths } = await setup();
    const underWay = rejectionOf(encode(LONG));
    const waiting = rejectionOf(encode('one'));
    await thread.close();
    expect((await underWay).code).toBe('DRAINING');
    expect((await waiting).code).toBe('DRAINING');
    expect((await rejectionOf(encode('one'))).code).toBe('DRAINING');
    expect(workers.map(({ threadId }) => threadId)).toEqual([-1]);
    expect(deaths).toEqual([]);
    await thread.close();
  });

  it('does not keep the process alive when idle, but does while it works', async () => {
    const entry = new URL('../../src/codec/codec-thread.js', import.meta.url).href;
    const script = `
      const { CodecThread } = await import(${JSON.stringify(entry)});
      const thread = new CodecThread();
      thread.start().then(() => console.log('worked'));
    `;
    const child = spawnProcess(process.execPath, ['--input-type=module', '--eval', script]);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    expect({ code, output }).toEqual({ code: 0, output: 'worked\n' });
  });
});
