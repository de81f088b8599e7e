import type { CostBasis, CostCoefficients } from './cost.js';

/**
 * The batcher's vocabulary. Times are milliseconds of one monotonic clock, lengths are tokens (1 for fixed-shape rows),
 * rows are positions along the batch axis.
 */

/** The only source of time. `callAt` runs `fn` once at or after `atMs` and returns what cancels it. */
export interface Clock {
  now(): number;
  callAt(atMs: number, fn: () => void): () => void;
}

/** What a caller asks to be run: `rows` rows of `length` each that must stay together. */
export interface Item<P> {
  readonly rows: number;
  /** Sequence length of each row; the batch is padded to the longest. Fixed-shape rows: 1. */
  readonly length: number;
  /** Only items of one `compat` may share a ride (same tail shapes). */
  readonly compat: string;
  readonly payload: P;
  /** Equal for equal inputs, and only for those: they ride once and share the answer. Absent = never shared. */
  readonly identity?: string;
}

/** Who asks, and how urgently. */
export interface SubmitOptions {
  /** Absolute; at that time the request is answered DEADLINE_EXCEEDED. Default Infinity. */
  readonly deadlineAt?: number;
  /** Whom the work is charged to; callers share the lanes fairly. Default: one caller for all. */
  readonly caller?: string;
  /** 0 = default, 1 = highest (Open Inference Protocol). */
  readonly priority?: number;
  /**
   * Hears of every batch that an item of the request rides in, after its `dispatched` event and before its `completed`
   * or `failed`; of one batch perhaps several times. Must not throw.
   */
  readonly onRun?: ((group: Group) => void) | undefined;
}

/** An item in the queue, as a plan sees it. */
export interface QueuedItem {
  /** Grows with every admission: the order of arrival, and the last tie-break. */
  readonly seq: number;
  /** Smaller goes first; see FairKeys. */
  readonly key: number;
  readonly rows: number;
  readonly length: number;
  readonly compat: string;
  /** Part of a request larger than about one batch: it yields to interactive ones until it has waited long. */
  readonly bulk: boolean;
  readonly arrivedAt: number;
  /** Absolute; Infinity = none. */
  readonly deadlineAt: number;
}

export interface Knobs {
  /** Most rows of one batch. At least 1. */
  readonly maxBatch: number;
  /** Longest time that the oldest queued item is held back for company while a lane is idle. 0 = never hold. */
  readonly maxWaitMs: number;
  /** Longest time that items are held back for callers who were just answered and are about to return. 0 = never. */
  readonly echoHoldMs: number;
  /** Most tokens of one batch, padding included: rows x longest. Infinity = no limit. A single item may exceed it. */
  readonly maxBatchTokens: number;
  /** Most rows waiting; a request that does not fit whole is refused whole. */
  readonly maxQueue: number;
  /** false: an item never shares a ride (the model failed its batch self-test, or `composition: off`). */
  readonly join: boolean;
  /** Predictions may refuse and shed; false: only deadlines that have passed do. */
  readonly shedding: boolean;
  /** Time in which an answer is wanted: bounds how long a run may get. Infinity = any. */
  readonly sloMs: number;
}

/** Why a batch was closed when it was: a label of metrics and logs. */
export type CloseReason =
  | 'cost'
  | 'full_rows'
  | 'full_tokens'
  | 'lane_free'
  | 'max_wait'
  | 'echo_hold'
  | 'drain'
  | 'single'
  | 'retry';

/** One batch: what rides together in one run. Never empty. */
export interface Group<T extends QueuedItem = QueuedItem> {
  readonly items: readonly T[];
  readonly rows: number;
  /** Sum of rows x length, without padding. */
  readonly tokens: number;
  readonly longest: number;
  /** rows x longest: what the hardware pays for. */
  readonly paddedTokens: number;
  readonly reason: CloseReason;
}

/** Lanes as the batcher sees them when it plans: shared with other models. */
export interface LanesView {
  readonly total: number;
  /** Lanes without work, the granted one not counted. */
  readonly idle: number;
  /** Lanes that have died since the start, of whatever. Default: none but those that this batcher's runs lost. */
  readonly lost?: number;
}

/** How many of those answered lately are expected to ask again. */
export interface ExpectedReturns {
  readonly withinMs: number;
  /** Requests; a mean, so not a whole number. */
  readonly requests: number;
}

/** What the echo hold weighs; see echo-hold.ts. */
export interface EchoView {
  /** For how long the queue has been held back already. */
  readonly heldMs: number;
  /** 95th percentile of the lengths seen. */
  readonly referenceLength: number;
  /** For some times within what is left of `echoHoldMs`; empty while too little is known. */
  readonly returns: readonly ExpectedReturns[];
}

/** Everything a plan may look at. */
export interface Snapshot<T extends QueuedItem = QueuedItem> {
  /** The head of the queue in key order, see `windowSize`. */
  readonly window: readonly T[];
  /** Items and rows in the whole queue. */
  readonly waiting: number;
  readonly waitingRows: number;
  /** Lanes without work, the granted one included. */
  readonly idleLanes: number;
  /** Part of the lanes' time that arrivals have asked for lately, 0 to 1. */
  readonly utilisation: number;
  /** No interactive item has come for a while: bulk ones are in nobody's way. */
  readonly quiet: boolean;
  readonly cost: {
    readonly basis: CostBasis;
    readonly coefficients: CostCoefficients;
    /** false: a guess from before anything was measured. */
    readonly trusted: boolean;
  };
  /** No more arrivals will come: holding back is pointless. */
  readonly draining: boolean;
  /** Absent where the echo hold is off. */
  readonly echo?: EchoView;
}

/** What a plan decides for the one lane that was granted. */
export interface Plan<T extends QueuedItem = QueuedItem> {
  readonly group?: Group<T>;
  /** Items whose deadline has passed; never part of the group. */
  readonly shed: readonly T[];
  /** Ask again then; only set when something is queued and nothing is to run now. */
  readonly wakeAtMs?: number;
}

/** Pure and deterministic: no clock, no I/O, no randomness, inputs are not changed. */
export type PlanFn = <T extends QueuedItem>(snapshot: Snapshot<T>, now: number, knobs: Knobs) => Plan<T>;

/** How one item rode; handed to its caller with the answer. */
export interface Ride<R> {
  readonly value: R;
  readonly queueMs: number;
  readonly runMs: number;
  readonly groupRows: number;
}

/** What the lane reports of one run: a result for every item of the group, in its order. */
export interface RunResult<R> {
  readonly values: readonly R[];
  /** Time of the model alone. */
  readonly runMs: number;
  /** Time for which the lane was taken, padding and messages included: what the cost model learns. */
  readonly laneMs: number;
}

/** `full`: no room in the queue; `late`: predicted to miss its deadline; `too_large`: could never fit. */
export type RefusalReason = 'full' | 'late' | 'too_large' | 'draining';

/** Every state change that somebody may want to count. The batcher measures nothing itself. */
export type BatcherEvent =
  | { readonly type: 'admitted'; readonly items: number; readonly rows: number }
  | {
      readonly type: 'refused';
      readonly rows: number;
      readonly code: 'QUEUE_FULL' | 'PAYLOAD_TOO_LARGE' | 'DRAINING';
      readonly reason: RefusalReason;
    }
  | { readonly type: 'cancelled'; readonly rows: number }
  | { readonly type: 'expired'; readonly rows: number }
  | { readonly type: 'shared'; readonly rows: number }
  | {
      readonly type: 'dispatched';
      readonly group: Group;
      readonly queueMs: readonly number[];
      readonly predictedMs: number;
      /** Items left in the queue. */
      readonly waiting: number;
    }
  | {
      readonly type: 'completed';
      readonly group: Group;
      readonly runMs: number;
      readonly laneMs: number;
      readonly predictedMs: number;
      /** What it would have taken without padding, by the same prediction. */
      readonly unpaddedMs: number;
    }
  | { readonly type: 'failed'; readonly group: Group; readonly code: string; readonly retried: boolean };
