import type { BatcherEvent } from '#batcher';
import { describe, expect, it } from '@jest/globals';
import { DecisionLog } from '../../src/models/decision-log.js';
import { FakeClock } from '../support/fake-clock.js';
import { groupOf } from '../telemetry/samples.js';

const dispatched = (rows: number): Extract<BatcherEvent, { type: 'dispatched' }> => ({
  type: 'dispatched',
  group: groupOf({ rows, tokens: 60, paddedTokens: 100, longest: 20, reason: 'cost' }),
  queueMs: [1, 7, 3],
  predictedMs: 40,
  waiting: 5,
});

describe('the decision log', () => {
  it('shows what was decided, and with the run what came of it', async () => {
    const clock = new FakeClock();
    const log = new DecisionLog(clock);
    const event = dispatched(5);
    log.note(event);
    await clock.advance(50);
    const sizes = { rows: 5, tokens: 60, paddedTokens: 100, longest: 20, reason: 'cost' };
    const decided = { ...sizes, waiting: 5, queueMs: 7, predictedMs: 40, agoMs: 50 };
    expect(log.list()).toEqual([decided]);
    log.note({
      type: 'completed',
      group: event.group,
      ...{ runMs: 45, laneMs: 50, predictedMs: 40, unpaddedMs: 30 },
    });
    expect(log.list()).toEqual([{ ...decided, laneMs: 50, waste: 0.4 }]);
  });

  it('tells a run that failed from one under way', () => {
    const log = new DecisionLog(new FakeClock());
    const event = dispatched(2);
    log.note(event);
    log.note({ type: 'failed', group: event.group, code: 'WORKER_LOST', retried: true });
    log.note(dispatched(1));
    expect(log.list().map(({ rows, failed }) => [rows, failed])).toEqual([
      [1, undefined],
      [2, 'WORKER_LOST'],
    ]);
  });

  it('keeps the last hundred, newest first', () => {
    const log = new DecisionLog(new FakeClock());
    for (let rows = 1; rows <= 120; rows++) log.note(dispatched(rows));
    expect(log.list().map(({ rows }) => rows)).toEqual(Array.from({ length: 100 }, (_, i) => 120 - i));
  });
});
