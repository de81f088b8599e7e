import { CarpoolError, fromWireError } from '../errors.js';
import type { Signature } from '../models/signature.js';
import { LaneHung } from './lane-hung.js';
import { startLimit } from './limit-timer.js';
import type { Link, OpenLink } from './link.js';
import type { LaneBatch, LaneOutput, LaneReply, LaneRequest, ModelSpec } from './protocol.js';
import { transferable } from './transfer.js';

/** Milliseconds that a lane may take for one request; then it is given up. */
export interface LaneLimits {
  /** To open a model. */
  readonly loadMs: number;
  /** To run one, where the run has no limit of its own, and for all else. */
  readonly runMs: number;
}

const NO_LIMITS: LaneLimits = { loadMs: Infinity, runMs: Infinity };

interface Pending {
  readonly resolve: (reply: LaneReply) => void;
  readonly reject: (error: CarpoolError) => void;
  readonly stopLimit: () => void;
}

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

/**
 * One worker with its ONNX sessions, from start to end; it is never restarted (a slot gets a new lane instead).
 * Whatever was asked of it when it dies is rejected with WORKER_LOST; so is what takes longer than its limit, and then the
 * lane is given up:
 *
 *   starting ─▶ idle ⇄ running ─┬─ dies ───────────────▶ gone, ended
 *                               └─ hangs ─ discard() ──▶ gone ········▶ ended (a thread: when it comes back, if it does)
 */
export class Lane {
  readonly ready: Promise<void>;
  /** Resolves with the reason when it takes no work any more: it has died, or was given up. */
  readonly gone: Promise<string>;
  /** Resolves with the reason when nothing is left of it, however that came. */
  readonly ended: Promise<string>;
  readonly #link: Link;
  readonly #limits: LaneLimits;
  readonly #pending = new Map<number, Pending>();
  /** Keys of the models that are open in it. */
  readonly #models = new Set<string>();
  #nextId = 1;
  #runs = 0;
  #rssBytes: number | undefined;
  #lost: CarpoolError | undefined;
  #abandoned = false;
  #rejectReady!: (error: CarpoolError) => void;
  #onGone!: (reason: string) => void;

  constructor(open: OpenLink, limits: LaneLimits = NO_LIMITS) {
    let onReady!: () => void;
    let onEnded!: (reason: string) => void;
    this.#limits = limits;
    this.ready = new Promise((resolve, reject) => {
      onReady = resolve;
      this.#rejectReady = reject;
    });
    // A lane that dies before anybody waits for it is no unhandled rejection.
    this.ready.catch(() => undefined);
    this.gone = new Promise((resolve) => (this.#onGone = resolve));
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

  /** Runs answered. */
  get runs(): number {
    return this.#runs;
  }

  /** Resident memory of its process at the last look; undefined for a thread. */
  get rssBytes(): number | undefined {
    return this.#rssBytes;
  }

  /** Is the model of this key open in it? */
  has(key: string): boolean {
    return this.#models.has(key);
  }

  /** @throws MODEL_LOAD_FAILED with the file and ONNX Runtime's reason; LaneHung */
  async load(spec: ModelSpec): Promise<Signature> {
    const reply = await this.#ask({ type: 'load', spec }, this.#limits.loadMs);
    if (reply.type !== 'loaded') throw unexpected('loaded', reply.type);
    this.#models.add(spec.key);
    return reply.signature;
  }

  /**
   * @param limitMs time that it may take; default: that of the lane
   * @throws EXECUTION_FAILED with ONNX Runtime's reason, WORKER_LOST when the lane dies meanwhile, LaneHung
   */
  async run(key: string, batch: LaneBatch, fillTo?: number, limitMs?: number): Promise<LaneOutput> {
    const reply = await this.#ask(
      { type: 'run', key, batch, ...(fillTo === undefined ? {} : { fillTo }) },
      limitMs ?? this.#limits.runMs,
      buffersOf(batch),
    );
    if (reply.type !== 'ran') throw unexpected('ran', reply.type);
    this.#runs++;
    this.#rssBytes = reply.output.rssBytes ?? this.#rssBytes;
    return reply.output;
  }

  async unload(key: string): Promise<void> {
    this.#models.delete(key);
    await this.#ask({ type: 'unload', key }, this.#limits.runMs);
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

  async #ask(
    request: WithoutId<LaneRequest>,
    limitMs: number,
    transfer: ArrayBuffer[] = [],
  ): Promise<LaneReply> {
    if (this.#lost !== undefined) throw this.#lost;
    return new Promise((resolve, reject) => {
      const id = this.#post(request, transfer);
      const stopLimit = startLimit(limitMs, () =>
        this.#hang(`${request.type} took longer than ${limitMs} ms`),
      );
      this.#pending.set(id, { resolve, reject, stopLimit });
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
    pending?.stopLimit();
    if (reply.type === 'failed') pending?.reject(fromWireError(reply.error));
    else pending?.resolve(reply);
  }

  #hang(reason: string): void {
    this.#lost ??= new LaneHung(reason);
    this.discard(reason);
  }

  #lose(reason: string): void {
    this.#lost ??= new CarpoolError('WORKER_LOST', `the lane was lost: ${reason}`);
    // Whoever counts lost lanes must have counted this one before its runs come back.
    this.#onGone(reason);
    this.#rejectReady(this.#lost);
    for (const { reject, stopLimit } of this.#pending.values()) {
      stopLimit();
      reject(this.#lost);
    }
    this.#pending.clear();
    this.#models.clear();
  }
}

const unexpected = (wanted: string, got: string): CarpoolError =>
  new CarpoolError('INTERNAL', `expected '${wanted}' from the lane, got '${got}': a bug in executor/worker`);

const buffersOf = (batch: LaneBatch): ArrayBuffer[] =>
  batch.kind === 'texts'
    ? transferable([{ data: batch.ids }, { data: batch.lengths }])
    : transferable(batch.inputs);
