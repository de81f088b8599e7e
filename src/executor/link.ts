import type { LaneReply, LaneRequest } from './protocol.js';

export type Isolation = 'thread' | 'process';

/** What a lane is made of, seen from outside: a wire to a thread or to a child process. */
export interface Link {
  post(request: LaneRequest, transfer: ArrayBuffer[]): void;
  /**
   * Ends it without asking. A process is killed (SIGKILL). A thread can't be: terminating one inside a native run
   * aborts the whole gateway, so it finishes its run alone and ends then; until then it keeps the process alive.
   */
  discard(): void;
  /** The child's id; undefined for a thread. */
  readonly pid: number | undefined;
}

export interface LinkEvents {
  onReply(reply: LaneReply): void;
  /** Once, when it is gone, after a discard too; nothing comes after it. */
  onExit(reason: string): void;
}

export type OpenLink = (events: LinkEvents) => Link;
