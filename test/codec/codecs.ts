import { Codec } from '../../src/codec/codec.js';
import { CodecThread } from '../../src/codec/codec-thread.js';
import type { JobOptions } from '../../src/codec/codec-thread.js';
import type { JobInput, JobName, JobOutput } from '../../src/codec/jobs.js';
import type { TextUnit } from '../../src/infer.js';
import { spamTokenizerJson } from './fixtures.js';

/** A codec thread that notes what it is given. */
export class RecordingThread extends CodecThread {
  readonly jobs: JobName[] = [];
  readonly slices: (readonly TextUnit[])[] = [];
  /** Sizes of the buffers behind the bodies. */
  readonly bodyBuffers: number[] = [];
  /** Called before each job is posted. */
  onJob: () => void = () => undefined;

  override run<J extends JobName>(job: J, input: JobInput<J>, options?: JobOptions): Promise<JobOutput<J>> {
    this.jobs.push(job);
    if (typeof input === 'object' && 'texts' in input) this.slices.push(input.texts);
    if (typeof input === 'object' && 'bytes' in input) this.bodyBuffers.push(input.bytes.buffer.byteLength);
    this.onJob();
    return super.run(job, input, options);
  }
}

/** Codecs with one open tokenizer, `m`, whose threads have noted nothing yet; `closeAll` ends them. */
export class Codecs {
  readonly #opened: Codec[] = [];

  async open(json = spamTokenizerJson()): Promise<{ codec: Codec; thread: RecordingThread }> {
    const thread = new RecordingThread();
    const codec = new Codec(thread);
    this.#opened.push(codec);
    await codec.start();
    await codec.openTokenizer('m', { json });
    thread.jobs.length = 0;
    return { codec, thread };
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#opened.splice(0).map((codec) => codec.close()));
  }
}
