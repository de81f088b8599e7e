import { Worker } from 'node:worker_threads';
import { CarpoolError, fromWireError, messageOf } from '../errors.js';
import type { JobInput, JobName, JobOutput } from './jobs.js';
import { PendingJob } from './pending-job.js';
import type { JobMessage, JobReply } from './thread-protocol.js';

export interface CodecThreadOptions {
  /** Starts the thread. Default: `worker.js` beside this file; tests keep hold of the workers. */
  readonly spawn?: () => Worker;
  /** The thread died by itself; for the log. */
  readonly onDeath?: (reason: string) => void;
}

export interface JobOptions {
  /** Buffers to move to the thread; the caller's arrays over them are empty afterwards. */
  readonly transfer?: readonly ArrayBuffer[];
  /** Rejects at once with its reason; a job that was not posted yet never runs. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The helper thread that takes large tokenising, parsing and rendering off the event loop: first come, first served.
 * It is given one job at a time: those that wait can be cancelled, and survive when it dies. Then its job fails and a
 * new thread takes its place, with the same tokenizers open. It keeps the process alive only while it works.
 */
export class CodecThread {
  readonly #spawn: () => Worker;
  readonly #onDeath: (reason: string) => void;
  /** What a replacement has to open again. */
  readonly #tokenizers = new Map<string, JobInput<'openTokenizer'>>();
  readonly #waiting: PendingJob[] = [];
  #running: PendingJob | undefined;
  #worker: Worker | undefined;
  #answered = false;
  #closed = false;
  #lastId = 0;

  constructor({ spawn = spawnWorker, onDeath = () => undefined }: CodecThreadOptions = {}) {
    this.#spawn = spawn;
    this.#onDeath = onDeath;
  }

  /** What comes now would wait. */
  get isBusy(): boolean {
    return this.#running !== undefined || this.#waiting.length > 0;
  }

  /** Resolves when the thread has loaded its code. Without it the first job starts the thread. */
  async start(): Promise<void> {
    await this.run('ping', undefined);
  }

  /**
   * @throws the job's CarpoolError; MODEL_UNAVAILABLE when the thread died under it, DRAINING after `close`.
   */
  async run<J extends JobName>(job: J, input: JobInput<J>, options: JobOptions = {}): Promise<JobOutput<J>> {
    if (this.#closed) throw closedError();
    const pending = this.#pending(job, input, options);
    this.#waiting.push(pending);
    this.#postNext();
    // The worker's table of jobs has this type for this name.
    return (await pending.done) as JobOutput<J>;
  }

  async openTokenizer(input: JobInput<'openTokenizer'>): Promise<JobOutput<'openTokenizer'>> {
    const facts = await this.run('openTokenizer', input);
    this.#tokenizers.set(input.key, input);
    return facts;
  }

  async closeTokenizer(key: string): Promise<void> {
    if (!this.#tokenizers.delete(key)) return;
    // A thread that died or was closed holds no tokenizer.
    await this.run('closeTokenizer', { key }).catch(() => undefined);
  }

  /** Ends the thread, in the middle of a job too; jobs that have no answer yet are rejected with DRAINING. */
  async close(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    this.#failRunning(closedError());
    this.#failWaiting(closedError());
    await worker?.terminate();
  }

  #pending<J extends JobName>(job: J, input: JobInput<J>, { transfer = [], signal }: JobOptions): PendingJob {
    // Name and input belong together by this method's type, which a union of messages can't express.
    const message = { id: ++this.#lastId, job, input } as JobMessage;
    return new PendingJob(message, transfer, signal);
  }

  #postNext(): void {
    while (this.#running === undefined) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      if (!next.settled) this.#post(next);
    }
    if (this.#running === undefined) this.#worker?.unref();
    else this.#worker?.ref();
  }

  #post(pending: PendingJob): void {
    const { message, transfer } = pending;
    try {
      this.#worker ??= this.#startWorker();
      this.#worker.postMessage(message, transfer);
      this.#running = pending;
    } catch (error) {
      pending.reject(new CarpoolError('INTERNAL', `cannot post ${message.job}: ${messageOf(error)}`));
    }
  }

  #startWorker(): Worker {
    const worker = this.#spawn();
    let failure: string | undefined;
    this.#answered = false;
    worker.on('message', (reply: JobReply) => this.#settle(reply));
    worker.on('messageerror', (error) => {
      this.#failRunning(new CarpoolError('INTERNAL', `cannot read the codec's answer: ${messageOf(error)}`));
      this.#postNext();
    });
    // 'exit' follows.
    worker.on('error', (error) => (failure = messageOf(error)));
    worker.on('exit', (code) => {
      if (this.#worker === worker) this.#replace(failure ?? `exit code ${code}`);
    });
    return worker;
  }

  #settle(reply: JobReply): void {
    this.#answered = true;
    const job = this.#running;
    if (job?.message.id !== reply.id) return;
    this.#running = undefined;
    if ('error' in reply) job.reject(fromWireError(reply.error));
    else job.resolve(reply.ok);
    this.#postNext();
  }

  #replace(reason: string): void {
    const error = new CarpoolError('MODEL_UNAVAILABLE', `the codec thread died (${reason}); try again`);
    this.#worker = undefined;
    this.#failRunning(error);
    this.#onDeath(reason);
    if (!this.#answered) {
      // It died before its first answer and its replacement would too: none until somebody asks.
      this.#failWaiting(error);
      return;
    }
    const reopen = [...this.#tokenizers.values()].map((input) => this.#pending('openTokenizer', input, {}));
    const first = [this.#pending('ping', undefined, {}), ...reopen];
    // Nobody waits for these: a tokenizer that fails to open fails the texts that come for it.
    for (const { done } of first) done.catch(() => undefined);
    this.#waiting.unshift(...first);
    this.#postNext();
  }

  #failRunning(error: CarpoolError): void {
    this.#running?.reject(error);
    this.#running = undefined;
  }

  #failWaiting(error: CarpoolError): void {
    for (const job of this.#waiting.splice(0)) job.reject(error);
  }
}

const spawnWorker = (): Worker =>
  // Flags of the command line are not inherited: some, such as --input-type, keep a thread from starting.
  new Worker(new URL('./worker.js', import.meta.url), { name: 'carpool-codec', execArgv: [] });

const closedError = (): CarpoolError => new CarpoolError('DRAINING', 'the gateway is shutting down');
