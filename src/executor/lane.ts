import { CarpoolError, fromWireError } from '../errors.js';
import type { Signature } from '../models/signature.js';
import type { Link, OpenLink } from './link.js';
import type { LaneBatch, LaneOutput, LaneReply, LaneRequest, ModelSpec } from './protocol.js';
import { transferable } from './transfer.js';

interface Pending {
  readonly resolve: (reply: LaneReply) => void;
  readonly reject: (error: CarpoolError) => void;
}

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

/**
 * One worker with its ONNX sessions, from start to end; it is never restarted (a slot gets a new lane instead).
 * Whatever was asked of it when it dies is rejected with WORKER_LOST.
 */
export class Lane {
  readonly ready: Promise<void>;
  /** Resolves with the reason when the lane is gone, however that came. */
  readonly ended: Promise<string>;
  readonly #link: Link;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #lost: CarpoolError | undefined;
  #abandoned = false;
  #rejectReady!: (error: CarpoolError) => void;

  constructor(open: OpenLink) {
    let onReady!: () => void;
    let onEnded!: (reason: string) => void;
    this.ready = new Promise((resolve, reject) => {
      onReady = resolve;
      this.#rejectReady = reject;
    });
    // A lane that dies before anybody waits for it is no unhandled rejection.
    this.ready.catch(() => undefined);
    this.ended = new Promise((resolve) => (onEnded = resolve));
    this.#link = open({
      onReply: (reply) => {
        if (reply.type === 'ready') onReady();
        else this.#settle(reply);
      },
      onExit: (reason) => {
        this.#abandoned = false;
        this.#lose(reason);
        onEnded(reason);
      },
    });
  }

  get pid(): number | undefined {
    return this.#link.pid;
  }

  /** True while it may be inside the runtime, opening a model or running one, even given up: don't end a thread then. */
  get running(): boolean {
    return this.#pending.size > 0 || this.#abandoned;
  }

  get lost(): boolean {
    return this.#lost !== undefined;
  }

  /** @throws MODEL_LOAD_FAILED with the file and ONNX Runtime's reason */
  async load(spec: ModelSpec): Promise<Signature> {
    const reply = await this.#ask({ type: 'load', spec });
    if (reply.type !== 'loaded') throw unexpected('loaded', reply.type);
    return reply.signature;
  }

  /** @throws EXECUTION_FAILED with ONNX Runtime's reason, WORKER_LOST when the lane dies meanwhile */
  async run(key: string, batch: LaneBatch, fillTo?: number): Promise<LaneOutput> {
    const reply = await this.#ask(
      { type: 'run', key, batch, ...(fillTo === undefined ? {} : { fillTo }) },
      buffersOf(batch),
    );
    if (reply.type !== 'ran') throw unexpected('ran', reply.type);
    return reply.output;
  }

  async unload(key: string): Promise<void> {
    await this.#ask({ type: 'unload', key });
  }

  /** Lets it end by itself after what it is doing. */
  async stop(): Promise<void> {
    if (this.lost) return;
    this.#post({ type: 'stop' });
    await this.ended;
  }

  /** Gives it up at once; see Link.discard. `ended` still waits for the thread or process to be gone. */
  discard(reason: string): void {
    this.#abandoned = this.running;
    this.#lose(reason);
    this.#link.discard();
  }

  async #ask(request: WithoutId<LaneRequest>, transfer: ArrayBuffer[] = []): Promise<LaneReply> {
    if (this.#lost !== undefined) throw this.#lost;
    return new Promise((resolve, reject) => {
      const id = this.#post(request, transfer);
      this.#pending.set(id, { resolve, reject });
    });
  }

  #post(request: WithoutId<LaneRequest>, transfer: ArrayBuffer[] = []): number {
    const id = this.#nextId++;
    this.#link.post({ ...request, id }, transfer);
    return id;
  }

  #settle(reply: Exclude<LaneReply, { type: 'ready' }>): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (reply.type === 'failed') pending?.reject(fromWireError(reply.error));
    else pending?.resolve(reply);
  }

  #lose(reason: string): void {
    this.#lost ??= new CarpoolError('WORKER_LOST', `the lane was lost: ${reason}`);
    this.#rejectReady(this.#lost);
    for (const { reject } of this.#pending.values()) reject(this.#lost);
    this.#pending.clear();
  }
}

const unexpected = (wanted: string, got: string): CarpoolError =>
  new CarpoolError('INTERNAL', `expected '${wanted}' from the lane, got '${got}': a bug in executor/worker`);

const buffersOf = (batch: LaneBatch): ArrayBuffer[] =>
  batch.kind === 'texts'
    ? transferable([{ data: batch.ids }, { data: batch.lengths }])
    : transferable(batch.inputs);
