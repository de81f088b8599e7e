import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { MemoryStore } from '../../src/cache/memory-store.js';
import { ModelCache } from '../../src/cache/model-cache.js';
import { Codec } from '../../src/codec/codec.js';
import { LaneHung } from '../../src/executor/lane-hung.js';
import type { InferRequest } from '../../src/infer.js';
import { Pipeline, type PipelineContext } from '../../src/pipeline.js';
import { QueueBytes } from '../../src/queue-bytes.js';
import { spec } from '../protocol/support.js';
import { settle } from '../support/fake-clock.js';
import { failureOf } from '../support/lanes.js';
import {
  loseLane,
  modelOnClock,
  PAUSE_MS,
  rowsRequest,
  type ModelOnClock,
} from '../support/model-on-clock.js';

const contextOf = (gone: (() => void)[] = []): PipelineContext => ({
  caller: 'test',
  elapsedMs: 0,
  signal: new AbortController().signal,
  onGone: (fn) => {
    gone.push(fn);
    return () => undefined;
  },
});

const cacheOf = (): ModelCache => {
  const memory = new MemoryStore(1e6, () => 0);
  const stores = { memory, redis: undefined, unixNow: () => 0, onCorrupt: () => undefined };
  const signature = {
    inputs: [spec('x', 'float32', ['N', 1])],
    outputs: [spec('y', 'float32', ['N', 1])],
  };
  return new ModelCache(stores, { fingerprint: 'f', signature, hasRows: true, ttlMs: 1e6 });
};

const start = (cache?: ModelCache) => {
  const world: ModelOnClock = modelOnClock({ cache });
  const { model, clock, held } = world;
  // Room for eight rows.
  const pipeline = new Pipeline(new Codec(), clock, { bytes: new QueueBytes(32) });
  /** `answered`, or why not. */
  const ask = (request: InferRequest, context = contextOf()): Promise<string> =>
    failureOf(pipeline.infer(model, request, context)).then((why) => why.split(':', 1)[0] ?? '');
  const answerAll = async (): Promise<void> => {
    await settle();
    await nextTurn();
    for (const run of held.splice(0)) run.answer();
    // Answers are kept after they are out.
    for (let i = 0; i < 3; i++) await nextTurn();
  };
  return { ...world, ask, answerAll };
};
const PAUSED = 'MODEL_UNAVAILABLE';

describe('a model that is tried again', () => {
  it('is not tried with a request that is refused, or whose client goes before it has run', async () => {
    const { model, clock, lanes, ask, open, answerAll } = start();
    await open();
    await clock.advance(PAUSE_MS);
    expect(await ask(rowsRequest(1, 2, 3, 4, 5, 6, 7, 8, 9))).toBe('PAYLOAD_TOO_LARGE');
    const gone: (() => void)[] = [];
    lanes.areFree = false;
    const left = ask(rowsRequest(1), contextOf(gone));
    await settle();
    for (const leave of gone) leave();
    expect(await left).toBe('CLIENT_GONE');
    lanes.areFree = true;
    const answer = ask(rowsRequest(1));
    await answerAll();
    expect([await answer, model.guard.circuit]).toEqual(['answered', 'closed']);
  });

  it('is tried with all parts of one request, and refuses the others meanwhile', async () => {
    const { clock, ask, open, answerAll } = start();
    await open();
    await clock.advance(PAUSE_MS);
    const stream = contextOf();
    const parts = [ask(rowsRequest(1), stream), ask(rowsRequest(2), stream)];
    await settle();
    expect(await ask(rowsRequest(3))).toBe(PAUSED);
    await answerAll();
    expect(await Promise.all(parts)).toEqual(['answered', 'answered']);
  });
});

describe('a model that is paused', () => {
  it('for hanging is not tried while a lane that hangs would not be replaced', async () => {
    const { model, clock, lanes, ask, open, answerAll } = start();
    await loseLane(model, new LaneHung('a test'));
    lanes.areSpared = false;
    await clock.advance(PAUSE_MS);
    expect([model.guard.circuit, await ask(rowsRequest(1))]).toEqual(['open', PAUSED]);
    lanes.areSpared = true;
    const trial = ask(rowsRequest(1));
    await answerAll();
    expect(await trial).toBe('answered');
    // One that died hangs no lane.
    lanes.areSpared = false;
    await open();
    await clock.advance(PAUSE_MS);
    expect(model.guard.circuit).toBe('half-open');
  });

  it('refuses what was being prepared when that began', async () => {
    const { held, ask, open } = start();
    const answer = ask(rowsRequest(1));
    const opened = open();
    expect(await answer).toBe(PAUSED);
    await opened;
    expect(held).toEqual([]);
  });

  it('answers from the cache all the same, which is no trial', async () => {
    const { clock, ask, open, answerAll } = start(cacheOf());
    const known = ask(rowsRequest(1));
    await answerAll();
    expect(await known).toBe('answered');
    await open();
    expect([await ask(rowsRequest(1)), await ask(rowsRequest(2))]).toEqual(['answered', PAUSED]);
    await clock.advance(PAUSE_MS);
    expect(await ask(rowsRequest(1))).toBe('answered');
    const trial = ask(rowsRequest(2));
    await answerAll();
    expect(await trial).toBe('answered');
  });
});
