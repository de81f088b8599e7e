import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { MemoryStore } from '../../../src/cache/memory-store.js';
import { ModelCache } from '../../../src/cache/model-cache.js';
import { Arbiter } from '../../../src/executor/arbiter.js';
import type { InferRequest } from '../../../src/infer.js';
import type { VersionGroup } from '../../../src/models/versions/group.js';
import { Traffic } from '../../../src/models/versions/traffic.js';
import { resultOf } from '../../protocol/support.js';
import { loseLane, modelOnClock, rowsRequest } from '../../support/model-on-clock.js';

/** Texts and images are prepared by others; how is not looked at here. */
const images: InferRequest = { input: { kind: 'images', images: [new Uint8Array(1)] }, options: {} };

const start = () => {
  const current = modelOnClock().model;
  const { model } = modelOnClock();
  const outcomes: string[] = [];
  const codec = { isBusy: false };
  let asked = 0;
  // Checked by reading: Traffic looks at nothing else of a group.
  const group = {
    current,
    shadow: { version: '2', share: 1, tolerance: 1, model },
  } as unknown as VersionGroup;
  const traffic = new Traffic({
    groups: { findGroup: () => group },
    pipeline: {
      infer: () => {
        asked++;
        return Promise.resolve(resultOf([]));
      },
    },
    codec,
    arbiter: new Arbiter(),
    metrics: {
      bind: () => undefined,
      routed: () => undefined,
      shadowed: (_model, _version, outcome) => outcomes.push(outcome),
    },
    onFault: (_model, _version, reason) => outcomes.push(reason),
  });
  return {
    ...{ model, codec, outcomes },
    asked: () => asked,
    /** Copies a request whose answer is out. */
    copy: async (request: InferRequest): Promise<void> => {
      traffic.answered(current, request, resultOf([]), { onOver: (fn) => fn(), isGone: false });
      await nextTurn();
    },
  };
};

describe('a copy', () => {
  it('that would wait beside requests to be prepared is dropped; rows need no preparation', async () => {
    const { codec, outcomes, asked, copy } = start();
    await copy(images);
    codec.isBusy = true;
    await copy(images);
    expect([outcomes, asked()]).toEqual([['same', 'dropped'], 1]);
    await copy(rowsRequest(1));
    expect([outcomes, asked()]).toEqual([['same', 'dropped', 'same'], 2]);
  });

  it('for which the queue has no room is dropped before it is prepared', async () => {
    const { model, outcomes, asked, copy } = start();
    const { maxBatch } = model.info.batching;
    const request = rowsRequest(...new Array<number>(4 * maxBatch).fill(0));
    await copy(request);
    expect([outcomes, asked()]).toEqual([['same'], 1]);
    const background = model.inBackground();
    const payload = { kind: 'tensors', rows: 1, inputs: [] } as const;
    const ticket = background.batcher.submit([{ rows: 1, length: 1, compat: '', payload }]);
    await copy(request);
    expect([outcomes, asked()]).toEqual([['same', 'dropped'], 1]);
    ticket.cancel();
    await expect(ticket.rides).rejects.toThrow();
  });
});

describe('a model in the background', () => {
  it('keeps no answers, takes none that are kept, and its circuit is not that of the model', async () => {
    const cache = new ModelCache(
      {
        memory: new MemoryStore(1e6, () => 0),
        redis: undefined,
        unixNow: () => 0,
        onCorrupt: () => undefined,
      },
      { fingerprint: 'f', signature: { inputs: [], outputs: [] }, hasRows: true, ttlMs: 1 },
    );
    const { model, circuits } = modelOnClock({ cache });
    const background = model.inBackground();
    expect([model.cache, background.cache]).toEqual([cache, undefined]);
    await loseLane(background);
    expect([background.guard.circuit, model.guard.circuit, circuits]).toEqual(['open', 'closed', []]);
    expect(model.guards).toEqual([model.guard, background.guard]);
  });
});
