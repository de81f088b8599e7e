import type { Arbiter } from './arbiter.js';
import type { LaneLimits } from './lane.js';
import type { OpenLink } from './link.js';

export interface PoolDeps {
  readonly lanes: number;
  readonly open: OpenLink;
  /** Forms a batch for a lane that is free now. */
  readonly arbiter: Arbiter;
  /** Time for a lane to start, without any model. Default 30 s. */
  readonly startTimeoutMs?: number;
  /** Time for a new lane to open and warm one of the models that the others have. Default 120 s. */
  readonly openTimeoutMs?: number;
  /** For what one request may take a lane. Default: any time. */
  readonly limits?: LaneLimits;
  /** So many threads that hang may exist and still be replaced. Default 8. */
  readonly maxAbandoned?: number;
  /** A process lane that holds more is replaced between two runs. Default 0: any amount. */
  readonly maxRssBytes?: number;
  /** Pause before a lane tries again to open a model that it could not open; it doubles up to 64 times that. Default 5 s. */
  readonly reopenAfterMs?: number;
  readonly onRestart: (reason: string) => void;
  readonly onRecycle?: (reason: string) => void;
  /** More threads hang than are replaced; and then: no lane is left. */
  readonly onStuck?: (abandoned: number) => void;
  readonly onNoneLeft?: () => void;
  /** A dispatch threw, or a model could not be opened again: never expected, never fatal. */
  readonly onFault: (message: string) => void;
}
