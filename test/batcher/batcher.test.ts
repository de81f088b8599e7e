import { describe, expect, it } from '@jest/globals';
import { planFifo, type PlanFn } from '#batcher';
import { settle } from '../support/fake-clock.js';
import { codeOf, PuppetLanes, values } from '../support/puppet-lanes.js';

describe('forming batches', () => {
  it('runs a lone item at once', async () => {
    const lanes = new PuppetLanes();
    const ticket = lanes.submit('a');
    await settle();
    expect(lanes.history).toEqual([['a']]);
    await lanes.finishAll();
    expect(await values(ticket)).toEqual(['A']);
  });

  it('binds late: what arrives while the lane is busy rides together, in order', async () => {
    const lanes = new PuppetLanes();
    lanes.submit('a');
    await settle();
    lanes.submit('b');
    lanes.submit('c d');
    await settle();
    expect(lanes.history).toEqual([['a']]);
    await lanes.finishAll();
    expect(lanes.history).toEqual([['a'], ['b', 'c', 'd']]);
  });

  it('splits a request larger than maxBatch and joins its answers in order', async () => {
    const lanes = new PuppetLanes({}, 2);
    const ticket = lanes.submit('a b c d e f g h i');
    await settle();
    expect(lanes.history).toEqual([
      ['a', 'b', 'c', 'd'],
      ['e', 'f', 'g', 'h'],
    ]);
    // The second lane answers first.
    await lanes.runs[1]?.finish();
    await lanes.finishAll();
    expect(await values(ticket)).toEqual(['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I']);
  });

  it('lets the items of a bulk request ride by length, the longest first, and answers in their order', async () => {
    const lanes = new PuppetLanes({ maxBatch: 2 });
    const ticket = lanes.submit('a:2 b:90 c:3 d:80 e:2');
    await settle();
    await lanes.finishAll();
    expect(lanes.history).toEqual([['b', 'd'], ['c', 'a'], ['e']]);
    expect(await values(ticket)).toEqual(['A', 'B', 'C', 'D', 'E']);
  });

  it('leaves a bulk request in its order where interactive ones come', async () => {
    const lanes = new PuppetLanes({ maxBatch: 2 });
    lanes.submit('x');
    lanes.submit('a:2 b:90 c:3');
    await settle();
    await lanes.finishAll();
    expect(lanes.history).toEqual([
      ['x', 'a'],
      ['b', 'c'],
    ]);
  });

  it('stops before maxBatchTokens, padding counted', async () => {
    // A third row would make it 3 x 12 = 36.
    const lanes = new PuppetLanes({ maxBatchTokens: 35 });
    lanes.submit('a:2 b:12 c:2 d:2');
    await settle();
    await lanes.finishAll();
    expect(lanes.history).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    expect(lanes.runs[0]?.group).toMatchObject({
      rows: 2,
      tokens: 14,
      paddedTokens: 24,
      reason: 'full_tokens',
    });
  });

  it('runs an item that alone breaks the limits', async () => {
    const lanes = new PuppetLanes({ maxBatchTokens: 24 });
    lanes.submit('long:500');
    await settle();
    expect(lanes.history).toEqual([['long']]);
  });

  it('never joins items of different shapes', async () => {
    const lanes = new PuppetLanes();
    lanes.submit('a@x b@y c@x');
    await settle();
    await lanes.finishAll();
    expect(lanes.history).toEqual([['a', 'c'], ['b']]);
  });

  it('runs every item alone for a model that can not be joined', async () => {
    const lanes = new PuppetLanes({ join: false });
    lanes.submit('a b*3');
    await settle();
    await lanes.finishAll();
    expect(lanes.history).toEqual([['a'], ['b']]);
    expect(lanes.runs[0]?.group.reason).toBe('single');
  });

  it('uses every free lane', async () => {
    const lanes = new PuppetLanes({ maxBatch: 1 }, 3);
    lanes.submit('a b c d');
    await settle();
    expect(lanes.history).toEqual([['a'], ['b'], ['c']]);
  });
});

describe('maxWaitMs', () => {
  it('counts from the oldest arrival: not a moment less, not one more', async () => {
    const lanes = new PuppetLanes({ maxWaitMs: 10 });
    lanes.submit('a');
    await lanes.clock.advance(4);
    lanes.submit('b');
    await lanes.clock.advance(5);
    expect(lanes.history).toEqual([]);
    await lanes.clock.advance(1);
    expect(lanes.history).toEqual([['a', 'b']]);
    expect(lanes.runs[0]?.group.reason).toBe('max_wait');
  });

  it('does not hold a full batch', async () => {
    const lanes = new PuppetLanes({ maxWaitMs: 10 });
    lanes.submit('a b c d');
    await settle();
    expect(lanes.history).toEqual([['a', 'b', 'c', 'd']]);
  });

  it('holds nothing back while draining, and leaves no timer', async () => {
    const lanes = new PuppetLanes({ maxWaitMs: 10 });
    const ticket = lanes.submit('a');
    await settle();
    const drained = lanes.batcher.drain();
    await settle();
    expect(lanes.runs[0]?.group.reason).toBe('drain');
    await lanes.finishAll();
    await drained;
    expect(await values(ticket)).toEqual(['A']);
    expect(lanes.clock.pendingTimers).toBe(0);
  });
});

describe('admission', () => {
  it('takes all the rows of a request or none', () => {
    const lanes = new PuppetLanes({ maxQueue: 3 }, 0);
    lanes.submit('a b');
    expect(() => lanes.submit('c d')).toThrow(
      expect.objectContaining({ code: 'QUEUE_FULL', retryAfterSeconds: 1 }),
    );
    expect(lanes.batcher.queuedRows).toBe(2);
    lanes.submit('c');
    expect(lanes.batcher.queuedRows).toBe(3);
  });

  it('counts rows, not items', () => {
    const lanes = new PuppetLanes({ maxQueue: 3 }, 0);
    lanes.submit('a*2');
    expect(() => lanes.submit('b*2')).toThrow(expect.objectContaining({ code: 'QUEUE_FULL' }));
  });

  it('says at once that a request can never fit', () => {
    const lanes = new PuppetLanes({ maxQueue: 3 }, 0);
    expect(() => lanes.submit('a*4')).toThrow(expect.objectContaining({ code: 'PAYLOAD_TOO_LARGE' }));
  });

  it('takes nothing while draining', () => {
    const lanes = new PuppetLanes({}, 0);
    void lanes.batcher.drain();
    expect(() => lanes.submit('a')).toThrow(expect.objectContaining({ code: 'DRAINING' }));
  });
});

describe('deadlines and cancelling', () => {
  it('says how long the time was over for a request that came too late', async () => {
    const lanes = new PuppetLanes({}, 1);
    const { rides } = lanes.submit('a', { deadlineAt: -3 });
    const failed = rides.catch((error: unknown) => (error as Error).message);
    await lanes.clock.advance(0);
    expect(await failed).toBe("the request's time was over 3 ms before it could be queued");
  });

  it('never runs a late item, and answers at the deadline even while all lanes are busy', async () => {
    const lanes = new PuppetLanes();
    lanes.submit('a');
    await settle();
    const late = codeOf(lanes.submit('b', { deadlineAt: 5 }));
    await lanes.clock.advance(5);
    expect(await late).toBe('DEADLINE_EXCEEDED');
    await lanes.finishAll();
    expect(lanes.history).toEqual([['a']]);
  });

  it('answers 504 to a running request too, and forgets its result', async () => {
    const lanes = new PuppetLanes();
    const code = codeOf(lanes.submit('a', { deadlineAt: 5 }));
    await lanes.clock.advance(6);
    expect(await code).toBe('DEADLINE_EXCEEDED');
    await lanes.finishAll();
    expect(lanes.freeLanes).toBe(1);
  });

  it('frees the rows of a cancelled request at once and never runs them', async () => {
    const lanes = new PuppetLanes();
    lanes.submit('a');
    await settle();
    const ticket = lanes.submit('b c');
    const code = codeOf(ticket);
    lanes.submit('d');
    expect(lanes.batcher.queuedRows).toBe(3);
    ticket.cancel();
    expect(lanes.batcher.queuedRows).toBe(1);
    await lanes.finishAll();
    expect(await code).toBe('CLIENT_GONE');
    expect(lanes.history).toEqual([['a'], ['d']]);
    expect(lanes.events).toContainEqual({ type: 'cancelled', rows: 2 });
  });

  it('settles once: a cancel after the answer changes nothing', async () => {
    const lanes = new PuppetLanes();
    const ticket = lanes.submit('a', { deadlineAt: 50 });
    await settle();
    await lanes.finishAll();
    ticket.cancel();
    await lanes.clock.advance(100);
    expect(await values(ticket)).toEqual(['A']);
    expect(lanes.clock.pendingTimers).toBe(0);
    expect(lanes.events.map((event) => event.type)).toEqual(['admitted', 'dispatched', 'completed']);
  });
});

describe('failures', () => {
  it('retries a failed batch item by item: only the poisonous one fails', async () => {
    const lanes = new PuppetLanes();
    const tickets = ['a', 'poison', 'c'].map((name) => lanes.submit(name));
    const codes = tickets.map(codeOf);
    await settle();
    await lanes.runs[0]?.fail('EXECUTION_FAILED');
    for (let i = 1; i <= 3; i++)
      await (lanes.runs[i]?.payloads[0] === 'poison'
        ? lanes.runs[i]?.fail('EXECUTION_FAILED')
        : lanes.runs[i]?.finish());
    expect(lanes.history).toEqual([['a', 'poison', 'c'], ['a'], ['poison'], ['c']]);
    expect(await Promise.all(codes)).toEqual(['answered', 'EXECUTION_FAILED', 'answered']);
  });

  it('does not mix a retried item with new ones', async () => {
    const lanes = new PuppetLanes();
    const first = ['a', 'b'].map((name) => codeOf(lanes.submit(name)));
    await settle();
    lanes.submit('new');
    await lanes.runs[0]?.fail('EXECUTION_FAILED');
    await lanes.finishAll();
    expect(lanes.history).toEqual([['a', 'b'], ['a'], ['b'], ['new']]);
    expect(await Promise.all(first)).toEqual(['answered', 'answered']);
  });

  it('runs the batch of a lost lane again, then item by item, then names the guilty', async () => {
    const lanes = new PuppetLanes();
    const codes = ['a', 'killer'].map((name) => codeOf(lanes.submit(name)));
    await settle();
    await lanes.runs[0]?.fail('WORKER_LOST');
    await lanes.runs[1]?.fail('WORKER_LOST');
    expect(lanes.history).toEqual([['a', 'killer'], ['a', 'killer'], ['a']]);
    await lanes.runs[2]?.finish();
    await lanes.runs[3]?.fail('WORKER_LOST');
    expect(await Promise.all(codes)).toEqual(['answered', 'EXECUTION_FAILED']);
    expect(lanes.history).toHaveLength(4);
  });

  describe('of lanes that die without it too', () => {
    /** Loses the n-th run, and `others` lanes that ran nothing of it. */
    const lose = async (lanes: PuppetLanes, run: number, others: number): Promise<void> => {
      lanes.lost = (lanes.lost ?? 0) + 1 + others;
      await lanes.runs[run]?.fail('WORKER_LOST');
    };

    it('prove nothing against an item: it runs alone again, and is answered', async () => {
      const lanes = new PuppetLanes();
      const code = codeOf(lanes.submit('a'));
      await settle();
      for (let run = 0; run < 7; run++) await lose(lanes, run, run === 1 ? 1 : 0);
      await lanes.runs[7]?.finish();
      expect(await code).toBe('answered');
      expect(lanes.history).toHaveLength(8);
    });

    it('are not waited out for ever: a poisonous item ends', async () => {
      const lanes = new PuppetLanes();
      const codes = ['a', 'killer'].map((name) => codeOf(lanes.submit(name)));
      await settle();
      await lose(lanes, 0, 1);
      await lose(lanes, 1, 1);
      await lanes.runs[2]?.finish();
      for (let run = 3; run < 9; run++) await lose(lanes, run, 1);
      expect(await Promise.all(codes)).toEqual(['answered', 'WORKER_LOST']);
      expect(lanes.history).toHaveLength(9);
      expect(lanes.history.slice(3).flat()).toEqual(Array.from({ length: 6 }, () => 'killer'));
    });

    it('before its first loss do not excuse it', async () => {
      const lanes = new PuppetLanes();
      lanes.lost = 17;
      const code = codeOf(lanes.submit('killer'));
      await settle();
      for (let run = 0; run < 3; run++) await lose(lanes, run, 0);
      expect(await code).toBe('EXECUTION_FAILED');
    });
  });

  it('of the plan end the head of the line, each with one error, and the others are served', async () => {
    const plan: PlanFn = (snapshot, now, knobs) => {
      if (snapshot.window[0]?.length === 13) throw new Error('a bug');
      return planFifo(snapshot, now, knobs);
    };
    const lanes = new PuppetLanes({}, 1, { plan });
    const codes = ['b:13', 'c:13', 'd', 'e:13 f'].map((name) => codeOf(lanes.submit(name)));
    await settle();
    await lanes.finishAll();
    expect(await Promise.all(codes)).toEqual(['INTERNAL', 'INTERNAL', 'answered', 'answered']);
    expect(lanes.faults.map(String)).toEqual(['Error: a bug', 'Error: a bug']);
    await expect(lanes.batcher.drain()).resolves.toBeUndefined();
  });

  it('while a batch sets off end its members, and hold nothing up', async () => {
    let bugs = 1;
    const lanes = new PuppetLanes({ maxBatch: 2 }, 1, {
      onEvent: ({ type }) => {
        if (type === 'dispatched' && bugs-- > 0) throw new Error('a bug');
      },
    });
    const codes = ['a', 'b', 'c'].map((name) => codeOf(lanes.submit(name)));
    await settle();
    await lanes.finishAll();
    expect(await Promise.all(codes)).toEqual(['INTERNAL', 'INTERNAL', 'answered']);
    await expect(lanes.batcher.drain()).resolves.toBeUndefined();
  });

  it('refuses a wrong number of results before anything is handed out', async () => {
    const lanes = new PuppetLanes();
    const codes = ['a', 'b'].map((name) => codeOf(lanes.submit(name)));
    await settle();
    await lanes.runs[0]?.answer(['A']);
    await lanes.runs[1]?.answer([]);
    await lanes.runs[2]?.finish();
    expect(await Promise.all(codes)).toEqual(['INTERNAL', 'answered']);
  });

  it('fails a split request once and drops the rest of it', async () => {
    const lanes = new PuppetLanes({ maxBatch: 1 });
    const code = codeOf(lanes.submit('a b c'));
    await settle();
    await lanes.runs[0]?.fail('EXECUTION_FAILED');
    expect(await code).toBe('EXECUTION_FAILED');
    expect(lanes.batcher.queuedRows).toBe(0);
    expect(lanes.history).toEqual([['a']]);
  });
});

describe('drain and abort', () => {
  it('finishes what is queued and running, retries included', async () => {
    const lanes = new PuppetLanes();
    const codes = ['a', 'b'].map((name) => codeOf(lanes.submit(name)));
    await settle();
    let done = false;
    void lanes.batcher.drain().then(() => (done = true));
    await lanes.runs[0]?.fail('EXECUTION_FAILED');
    expect(done).toBe(false);
    await lanes.finishAll();
    expect(await Promise.all(codes)).toEqual(['answered', 'answered']);
    expect(done).toBe(true);
  });

  it('is done at once when nothing is there', async () => {
    await expect(new PuppetLanes().batcher.drain()).resolves.toBeUndefined();
  });

  it('abort ends what is queued with DRAINING', async () => {
    const lanes = new PuppetLanes();
    const running = codeOf(lanes.submit('a'));
    await settle();
    const queued = codeOf(lanes.submit('b'));
    lanes.batcher.abort();
    expect(await queued).toBe('DRAINING');
    await lanes.finishAll();
    expect(await running).toBe('answered');
  });
});
