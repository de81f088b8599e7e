import type { WireError } from '../errors.js';
import type { Signature } from '../models/signature.js';
import type { Tensor } from '../tensor.js';
import type { PoolSpec } from './pool-rows.js';

/**
 * The messages between the gateway and a lane: plain data, so that they cross `postMessage` (buffers transferred)
 * and a child process's IPC channel (structured clone) alike. The lane's code and the pool's code both import this
 * file and never each other.
 *
 *   gateway ── load / run / unload / stop ──▶ lane
 *   gateway ◀── ready / done / failed ─────── lane
 */

/** How to open one model in a lane. */
export interface ModelSpec {
  /** Unique for one loaded version of one model; a reload gets a new key. */
  readonly key: string;
  readonly file: string;
  readonly executionProviders: readonly string[];
  readonly intraOpThreads: number;
  /** Present for text models: what short texts of a batch are filled up with. */
  readonly text?: { readonly padId: number };
}

/** One batch as it travels: texts ragged (padding happens in the lane), tensors already joined along axis 0. */
export type LaneBatch = RaggedTexts | JoinedTensors;

export interface RaggedTexts {
  readonly kind: 'texts';
  /** Token ids of all texts, one after the other. */
  readonly ids: Int32Array;
  /** Segment ids beside them; absent = all 0. */
  readonly typeIds?: Int32Array;
  /** Tokens of each text; the sum is `ids.length`. */
  readonly lengths: Int32Array;
  /** Vectors of tokens are pooled before they are sent back. */
  readonly pool?: PoolSpec;
}

export interface JoinedTensors {
  readonly kind: 'tensors';
  readonly rows: number;
  /** In the order of the signature's inputs. */
  readonly inputs: readonly Tensor[];
}

export type LaneRequest =
  | { readonly type: 'load'; readonly id: number; readonly spec: ModelSpec }
  | {
      readonly type: 'run';
      readonly id: number;
      readonly key: string;
      readonly batch: LaneBatch;
      /** A fixed batch size: the batch is filled up to it with copies of its last row, the outputs are cut back. */
      readonly fillTo?: number;
    }
  | { readonly type: 'unload'; readonly id: number; readonly key: string }
  | { readonly type: 'stop'; readonly id: number };

export interface LaneOutput {
  /** In the order of the signature's outputs. */
  readonly outputs: readonly Tensor[];
  /** Time of the ONNX Runtime call alone. */
  readonly runMs: number;
  /** Time from reading the message to writing the answer: padding, the call, and slicing. */
  readonly laneMs: number;
  /** Resident memory of the lane's process; only of processes, and now and then. */
  readonly rssBytes?: number;
}

export type LaneReply =
  | { readonly type: 'ready' }
  | { readonly type: 'loaded'; readonly id: number; readonly signature: Signature }
  | { readonly type: 'ran'; readonly id: number; readonly output: LaneOutput }
  | { readonly type: 'ok'; readonly id: number }
  | { readonly type: 'failed'; readonly id: number; readonly error: WireError };
