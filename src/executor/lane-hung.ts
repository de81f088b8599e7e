import { CarpoolError } from '../errors.js';

/** WORKER_LOST of a lane that did not die: it was given up, since what it was asked took longer than its limit. */
export class LaneHung extends CarpoolError {
  readonly hung = true;

  constructor(reason: string) {
    super('WORKER_LOST', `the lane was lost: ${reason}`);
  }
}

/** By its field, as the batcher does. */
export const isHung = (error: unknown): boolean => (error as { hung?: unknown } | null)?.hung === true;
