import type { OpenLink } from '../../src/executor/link.js';
import type { LaneRequest } from '../../src/executor/protocol.js';

export interface Gate {
  readonly open: OpenLink;
  /** Types of everything that was sent, in order. */
  readonly sent: LaneRequest['type'][];
  /** From now on runs wait before the lane. */
  close(): void;
  /** Lets those that wait through. */
  release(): void;
}

/** Real lanes behind a gate: a run takes as long as a test wants. */
export const gated = (real: OpenLink): Gate => {
  const sent: LaneRequest['type'][] = [];
  const waiting: (() => void)[] = [];
  let closed = false;
  return {
    sent,
    close: () => (closed = true),
    release: () => {
      closed = false;
      for (const post of waiting.splice(0)) post();
    },
    open: (events) => {
      const link = real(events);
      return {
        ...link,
        post: (request, transfer) => {
          sent.push(request.type);
          if (closed && request.type === 'run') waiting.push(() => link.post(request, transfer));
          else link.post(request, transfer);
        },
      };
    },
  };
};
