import { planCost } from '#batcher';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { settle } from '../support/fake-clock.js';
import { CHEAP, codeOf, KNOBS, PuppetLanes } from '../support/puppet-lanes.js';

/** A script of what callers, lanes and the clock do; numbers pick among what is there at that moment. */
type Step =
  | { readonly do: 'submit'; readonly items: readonly string[]; readonly timeoutMs: number }
  | { readonly do: 'cancel' | 'finish' | 'fail' | 'lose' | 'short'; readonly pick: number }
  | { readonly do: 'wait'; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('submit' as const),
      items: fc.array(
        fc
          .tuple(
            fc.integer({ min: 1, max: 30 }),
            fc.integer({ min: 1, max: 3 }),
            fc.constantFrom('x', 'x', 'x', 'y'),
          )
          .map(([length, rows, shape]) => `:${length}*${rows}@${shape}`),
        { minLength: 1, maxLength: 6 },
      ),
      timeoutMs: fc.constantFrom(Infinity, Infinity, 1, 5, 20),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('cancel', 'finish', 'finish', 'finish', 'fail', 'lose', 'short'),
      pick: fc.nat(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 8 }) }),
  },
);

/** A tenth of what the plans' properties take: a script is many plans. */
const RUNS = { numRuns: Math.ceil(Number(process.env.PROPERTY_RUNS ?? 3_000) / 10) };

const play = async (script: readonly Step[], lanes: PuppetLanes, mostHeldMs: number): Promise<void> => {
  const laneCount = lanes.freeLanes;
  /** Items that were in a run that failed. */
  const unlucky = new Set<string>();
  const settled: {
    names: string[];
    code?: string;
    values?: string[];
    settles: number;
    runsWhenGone?: number;
  }[] = [];
  const tickets: { ticket: ReturnType<PuppetLanes['submit']>; at: number }[] = [];
  const open = new Set<number>();
  let name = 0;
  const pickOpenRun = (pick: number): number | undefined => [...open][pick % Math.max(1, open.size)];
  const track = (): void => {
    for (let i = 0; i < lanes.runs.length; i++) if (!ended.has(i)) open.add(i);
  };
  const ended = new Set(lanes.runs.keys());
  const end = async (
    pick: number,
    how: (run: PuppetLanes['runs'][number]) => Promise<void>,
    isFailure = true,
  ): Promise<void> => {
    track();
    const index = pickOpenRun(pick);
    const run = index === undefined ? undefined : lanes.runs[index];
    if (index === undefined || run === undefined) return;
    ended.add(index);
    open.delete(index);
    if (isFailure) for (const payload of run.payloads) unlucky.add(payload);
    await how(run);
  };

  /** Since when a lane is free while something waits. */
  let idleSince: number | undefined;
  for (const action of script) {
    if (action.do === 'submit') {
      const names = action.items.map((suffix) => `n${name++}${suffix}`);
      const record: (typeof settled)[number] = { names: names.map((n) => n.split(':')[0] ?? ''), settles: 0 };
      try {
        const ticket = lanes.submit(names.join(' '), { deadlineAt: lanes.clock.now() + action.timeoutMs });
        settled.push(record);
        tickets.push({ ticket, at: settled.length - 1 });
        void ticket.rides.then(
          (rides) => {
            record.values = rides.map((ride) => ride.value);
            record.settles++;
          },
          () => record.settles++,
        );
        void codeOf(ticket).then((code) => {
          record.code = code;
          record.runsWhenGone = lanes.runs.length;
        });
      } catch (error) {
        expect(['QUEUE_FULL', 'PAYLOAD_TOO_LARGE']).toContain((error as { code: string }).code);
      }
      await settle();
    } else if (action.do === 'wait') await lanes.clock.advance(action.ms);
    else if (action.do === 'cancel') {
      tickets[action.pick % Math.max(1, tickets.length)]?.ticket.cancel();
      await settle();
    } else if (action.do === 'finish') await end(action.pick, (run) => run.finish(), false);
    else if (action.do === 'fail') await end(action.pick, (run) => run.fail('EXECUTION_FAILED'));
    else if (action.do === 'lose') await end(action.pick, (run) => run.fail('WORKER_LOST'));
    else await end(action.pick, (run) => run.answer(run.payloads.slice(1)));

    // An idle lane and waiting work never meet without a wake-up being set.
    const oldest = lanes.batcher.oldestArrivalMs;
    if (lanes.freeLanes > 0 && oldest !== undefined) {
      expect(lanes.clock.pendingTimers).toBeGreaterThan(0);
      expect(mostHeldMs).toBeGreaterThan(0);
      // A lane may have come free just now: held since then, and no timer is later than that allows.
      idleSince ??= lanes.clock.now();
      expect(lanes.clock.now() - Math.max(oldest, idleSince)).toBeLessThanOrEqual(mostHeldMs);
    } else idleSince = undefined;
    // Each granted lane has one batch.
    track();
    expect(open.size + lanes.freeLanes).toBe(laneCount);
  }

  const drain = { reached: false };
  void lanes.batcher.drain().then(() => (drain.reached = true));
  await settle();
  for (let i = 0; i < 500 && !drain.reached; i++) await end(0, (run) => run.finish(), false);
  await settle();

  expect(drain.reached).toBe(true);
  expect(lanes.clock.pendingTimers).toBe(0);
  expect(lanes.batcher.queuedRows).toBe(0);
  // Each end is told once.
  const endsBy = (type: string): number => lanes.events.filter((event) => event.type === type).length;
  const coded = (code: string): number => settled.filter((record) => record.code === code).length;
  expect([endsBy('cancelled'), endsBy('expired')]).toEqual([
    coded('CLIENT_GONE'),
    coded('DEADLINE_EXCEEDED'),
  ]);
  for (const record of settled) {
    expect(record.settles).toBe(1);
    if (record.code === 'EXECUTION_FAILED' || record.code === 'INTERNAL')
      expect(record.names.some((n) => unlucky.has(n))).toBe(true);
    if (record.code === 'answered') expect(record.values).toEqual(record.names.map((n) => n.toUpperCase()));
  }
  for (const [i, run] of lanes.runs.entries()) {
    expect(run.payloads.length).toBeGreaterThan(0);
    for (const payload of run.payloads) {
      const owner = settled.find((record) => record.names.includes(payload));
      // A request that had ended before this run was formed has no item in it.
      expect(owner?.runsWhenGone ?? Infinity).toBeGreaterThan(i);
    }
  }
};

/** Teaches the batcher that its callers come back 0.2 ms after an answer: from then on it may hold. */
const taught = async (lanes: PuppetLanes): Promise<PuppetLanes> => {
  for (let i = 0; i < 17; i++) {
    lanes.submit('w');
    await settle();
    await lanes.finishAll();
    await lanes.clock.advance(0.2);
  }
  return lanes;
};

describe('the batcher, for every course of events', () => {
  /** A run costs enough that holds for returning callers happen. */
  const dear = { ...CHEAP, alphaMs: 10 };
  it.each([
    ['first come, first served', { maxWaitMs: 0, maxQueue: 20 }, 1, {}],
    ['with two lanes', { maxWaitMs: 0 }, 2, {}],
    ['with maxWaitMs', { maxWaitMs: 4, maxBatchTokens: 40 }, 2, {}],
    ['by cost', { maxQueue: 20 }, 2, { plan: planCost, cost: dear }],
    ['by cost, with maxWaitMs', { maxWaitMs: 4 }, 1, { plan: planCost, cost: dear }],
    ['by cost, with the echo hold', { echoHoldMs: 6, maxBatch: 30 }, 1, { plan: planCost, cost: dear }],
  ])('answers every request exactly once, with its own rows in order (%s)', async (_, knobs, lanes, how) => {
    const { maxWaitMs, echoHoldMs } = { ...KNOBS, ...knobs };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (script) => {
        const puppets = new PuppetLanes(knobs, lanes, how);
        await play(script, echoHoldMs > 0 ? await taught(puppets) : puppets, Math.max(maxWaitMs, echoHoldMs));
      }),
      RUNS,
    );
  });
});
