import { describe, expect, it } from '@jest/globals';
import type { Payload } from '../src/executor/join.js';
import { payloadBytes, QueueBytes } from '../src/queue-bytes.js';
import { f32, tensor } from './support/lanes.js';

/** Four bytes a token. */
const text = (tokens: number): { payload: Payload } => ({
  payload: { kind: 'text', ids: new Int32Array(tokens) },
});

const refusalOf = (take: () => unknown): string => {
  try {
    take();
  } catch (error) {
    const { code, retryAfterSeconds } = error as { code?: string; retryAfterSeconds?: number };
    return `${String(code)} ${String(retryAfterSeconds)}`;
  }
  return 'taken';
};

describe('payloadBytes', () => {
  it.each<[string, Payload, number]>([
    ['ids', { kind: 'text', ids: new Int32Array(3) }, 12],
    ['segment ids', { kind: 'text', ids: new Int32Array(3), typeIds: new Int32Array(3) }, 24],
    ['tensors', { kind: 'tensors', rows: 1, inputs: [f32([1, 2], [1, 2]), f32([1], [1])] }, 12],
    ['strings', { kind: 'tensors', rows: 1, inputs: [tensor('string', [1], ['abc'])] }, 46],
  ])('of %s', (_, payload, bytes) => {
    expect(payloadBytes(payload)).toBe(bytes);
  });
});

describe('the bytes of the queue', () => {
  it('take all items of a request or none, and come back once', () => {
    const queue = new QueueBytes(100);
    const refused: string[] = [];
    const free = queue.take([text(10), text(5)]);
    expect(queue.taken).toBe(60);
    expect(refusalOf(() => queue.take([text(5), text(6)], (code) => refused.push(code)))).toBe(
      'QUEUE_FULL 1',
    );
    expect([queue.taken, refused]).toEqual([60, ['QUEUE_FULL']]);
    expect(refusalOf(() => queue.take([text(5), text(5)]))).toBe('taken');
    free();
    free();
    expect(queue.taken).toBe(40);
  });

  it('refuse for good what would not fit an empty queue', () => {
    const refused: string[] = [];
    const queue = new QueueBytes(100);
    const take = (): unknown => queue.take([text(26)], (code) => refused.push(code));
    expect([refusalOf(take), refused]).toEqual(['PAYLOAD_TOO_LARGE undefined', ['PAYLOAD_TOO_LARGE']]);
  });
});
