import type { Codec } from '../../codec/codec.js';
import { codeOf, messageOf } from '../../errors.js';
import type { Arbiter } from '../../executor/arbiter.js';
import { rowsOfInput, type InferRequest, type InferResult } from '../../infer.js';
import type { Pipeline, PipelineContext } from '../../pipeline.js';
import type { VersionMetrics } from '../../telemetry/version-metrics.js';
import type { ServedModel } from '../served-model.js';
import { differenceOf } from './compare.js';
import type { VersionGroup } from './group.js';

export interface TrafficDeps {
  readonly groups: { findGroup(name: string): VersionGroup | undefined };
  /** For copies alone: nobody is charged for them, and they take no room from requests. */
  readonly pipeline: Pick<Pipeline, 'infer'>;
  readonly codec: Pick<Codec, 'isBusy'>;
  readonly arbiter: Pick<Arbiter, 'add'>;
  readonly metrics: VersionMetrics;
  /** The first failure of a shadow version and every hundredth. */
  readonly onFault: (model: string, version: string, reason: string) => void;
}

/** The caller's side of a request that was answered. */
export interface AnsweredRequest {
  /** Calls `fn` once when the answer is out, or never will be. */
  onOver(fn: () => void): void;
  readonly isGone: boolean;
}

/** Rows of copies that may be kept, of all models; more are dropped. */
const MOST_ROWS = 4_096;
/** A copy that is not answered by then is dropped. */
const TIMEOUT_MS = 10_000;
/** The lowest there is. */
const PRIORITY = 1_000;
const COMPLAIN_EVERY = 100;

/** Codes that say that there was no room: nothing of the version. */
const DROPPED: readonly string[] = [
  'QUEUE_FULL',
  'DEADLINE_EXCEEDED',
  'DRAINING',
  'PAYLOAD_TOO_LARGE',
  'WORKER_LOST',
  'MODEL_UNAVAILABLE',
];

/**
 * What happens beside the answers of models with several versions: requests are counted where callers are split, and
 * copied where there is a shadow.
 *
 *   request ─▶ default version ─▶ answer ──▶ caller
 *                                   │ is out
 *                                   └──▶ copy ─▶ shadow version, in the background ─▶ compare ─▶ metrics
 */
export class Traffic {
  readonly #deps: TrafficDeps;
  /** Parts of a copy that each model owes its shadow. */
  readonly #owed = new Map<string, number>();
  #rows = 0;
  #failures = 0;

  constructor(deps: TrafficDeps) {
    this.#deps = deps;
  }

  /** Before a request runs. */
  routed({ info }: ServedModel): void {
    if (this.#deps.groups.findGroup(info.name)?.isSplit === true)
      this.#deps.metrics.routed(info.name, info.card.version);
  }

  /** After it has run: copies it where it is its turn. */
  answered(model: ServedModel, request: InferRequest, result: InferResult, exchange: AnsweredRequest): void {
    const { name } = model.info;
    const group = this.#deps.groups.findGroup(name);
    if (group?.shadow === undefined || group.current !== model) return;
    const owed = (this.#owed.get(name) ?? 0) + group.shadow.share;
    this.#owed.set(name, owed >= 1 ? owed - 1 : owed);
    if (owed < 1) return;
    const rows = rowsOfInput(request.input);
    if (this.#rows + rows > MOST_ROWS) {
      this.#deps.metrics.shadowed(name, group.shadow.version, 'dropped');
      return;
    }
    this.#rows += rows;
    exchange.onOver(() => {
      void this.#copy(name, request, result, exchange.isGone).finally(() => (this.#rows -= rows));
    });
  }

  /** Never rejects. */
  async #copy(name: string, request: InferRequest, answer: InferResult, isGone: boolean): Promise<void> {
    const { groups, pipeline, codec, arbiter, metrics } = this.#deps;
    // By now it may be another one, or none.
    const shadow = groups.findGroup(name)?.shadow;
    if (shadow === undefined || isGone) return;
    const { version, tolerance, model } = shadow;
    const background = model.inBackground();
    // Texts and images are prepared first come, first served: a copy would keep requests waiting.
    const waits = request.input.kind !== 'tensors' && codec.isBusy;
    if (waits || !background.hasRoom(rowsOfInput(request.input))) {
      metrics.shadowed(name, version, 'dropped');
      return;
    }
    try {
      arbiter.add(background);
      const options = { ...request.options, timeoutMs: TIMEOUT_MS, priority: PRIORITY };
      const copy = await pipeline.infer(background, { ...request, options }, NOBODY());
      const difference = differenceOf(answer, copy);
      metrics.shadowed(name, version, difference <= tolerance ? 'same' : 'different', difference);
    } catch (error) {
      const isDropped = DROPPED.includes(codeOf(error));
      metrics.shadowed(name, version, isDropped ? 'dropped' : 'failed');
      if (!isDropped && this.#failures++ % COMPLAIN_EVERY === 0)
        this.#deps.onFault(name, version, messageOf(error));
    }
  }
}

/** Nobody waits for a copy, so nobody goes away. */
const NOBODY = (): PipelineContext => ({
  elapsedMs: 0,
  caller: '',
  signal: new AbortController().signal,
  onGone: () => () => undefined,
});
