import type { Item } from '#batcher';
import { CarpoolError } from './errors.js';
import type { Payload } from './executor/join.js';

const STRING_BYTES = 40;

/** Bytes that an item holds while it waits and runs: numbers exactly, strings about. */
export const payloadBytes = (payload: Payload): number => {
  if (payload.kind === 'text') return payload.ids.byteLength + (payload.typeIds?.byteLength ?? 0);
  return payload.inputs.reduce((sum, { data }) => {
    if (!Array.isArray(data)) return sum + data.byteLength;
    return sum + data.reduce((bytes: number, text) => bytes + STRING_BYTES + 2 * text.length, 0);
  }, 0);
};

/** What all models' requests together hold between the door and the answer; refuses what would be too much. */
export class QueueBytes {
  readonly #most: number;
  #taken = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get taken(): number {
    return this.#taken;
  }

  /**
   * Room for all items of a request, or for none.
   * @param onRefused told before it throws
   * @returns gives it back, once
   * @throws QUEUE_FULL; PAYLOAD_TOO_LARGE for what would not fit an empty queue
   */
  take(
    items: readonly Pick<Item<Payload>, 'payload'>[],
    onRefused?: (code: 'QUEUE_FULL' | 'PAYLOAD_TOO_LARGE') => void,
  ): () => void {
    const bytes = items.reduce((sum, { payload }) => sum + payloadBytes(payload), 0);
    if (bytes > this.#most) {
      onRefused?.('PAYLOAD_TOO_LARGE');
      throw new CarpoolError(
        'PAYLOAD_TOO_LARGE',
        `${bytes} bytes of inputs in one request can never fit: server.maxQueueBytes is ${this.#most}`,
      );
    }
    if (this.#taken + bytes > this.#most) {
      onRefused?.('QUEUE_FULL');
      throw new CarpoolError(
        'QUEUE_FULL',
        `${bytes} bytes of inputs do not fit: ${this.#taken} of at most ${this.#most} are waiting or running`,
        { retryAfterSeconds: 1 },
      );
    }
    this.#taken += bytes;
    let isBack = false;
    return () => {
      if (isBack) return;
      isBack = true;
      this.#taken -= bytes;
    };
  }
}
