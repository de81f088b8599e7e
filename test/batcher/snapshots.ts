import type { Knobs, QueuedItem, Snapshot } from '#batcher';
import fc from 'fast-check';

/** Random snapshots: a window in the order of keys, some items late, some bulk, a few shapes; any cost. */
export const snapshots: fc.Arbitrary<Snapshot> = fc
  .record({
    items: fc.array(
      fc.record({
        rows: fc.integer({ min: 1, max: 5 }),
        // Often alike: else hardly anything is joined, and the limits of a batch are never met.
        length: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constantFrom(8, 9, 31, 32, 33)),
        compat: fc.constantFrom('x', 'x', 'y'),
        keyStep: fc.integer({ min: 0, max: 3 }),
        ageMs: fc.oneof(fc.nat(100), fc.nat(5)),
        bulk: fc.boolean(),
        slackMs: fc.option(fc.integer({ min: 0, max: 100 }), { nil: Infinity }),
      }),
      { maxLength: 40 },
    ),
    more: fc.oneof(fc.constant(0), fc.nat(500)),
    draining: fc.boolean(),
    idleLanes: fc.integer({ min: 1, max: 4 }),
    utilisation: fc.double({ min: 0, max: 1, noNaN: true }),
    basis: fc.constantFrom('rows' as const, 'padded' as const, 'packed' as const),
    alphaMs: fc.constantFrom(0, 0.1, 1, 10),
    betaMsPerToken: fc.constantFrom(0, 0.001, 0.05),
    kneeTokens: fc.constantFrom(0, 64, 600),
    quadMsPerTokenSquared: fc.constantFrom(0, 1e-6, 1e-4),
    trusted: fc.boolean(),
    echo: fc.option(
      fc.record({
        heldMs: fc.constantFrom(0, 0, 0.3, 2, 5),
        referenceLength: fc.integer({ min: 1, max: 300 }),
        returns: fc.array(
          // Not fc.double: most of what that makes is next to 0.
          fc
            .tuple(fc.integer({ min: 1, max: 500 }), fc.nat(800))
            .map(([within, requests]) => ({ withinMs: within / 100, requests: requests / 100 })),
          { maxLength: 4 },
        ),
      }),
      { nil: undefined },
    ),
  })
  .map(({ items, more, draining, idleLanes, utilisation, basis, trusted, echo, ...coefficients }) => {
    let key = 0;
    const window = items.map(({ keyStep, ageMs, slackMs, ...item }, seq): QueuedItem => {
      key += keyStep;
      const arrivedAt = NOW - ageMs;
      return { ...item, seq, key, arrivedAt, deadlineAt: arrivedAt + slackMs };
    });
    const rows = window.reduce((sum, item) => sum + item.rows, 0);
    return {
      window,
      waiting: window.length + more,
      waitingRows: rows + more,
      draining,
      idleLanes,
      utilisation,
      cost: { basis, trusted, coefficients },
      ...(echo === undefined ? {} : { echo }),
    };
  });

/** The time at which the snapshots are looked at. */
export const NOW = 1_000;

export const knobs: fc.Arbitrary<Knobs> = fc.record({
  maxBatch: fc.integer({ min: 1, max: 12 }),
  maxWaitMs: fc.constantFrom(0, 0, 3, 50),
  echoHoldMs: fc.constantFrom(0, 0, 0.5, 4),
  maxBatchTokens: fc.integer({ min: 1, max: 2_000 }),
  maxQueue: fc.constant(10_000),
  join: fc.boolean(),
  sloMs: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constantFrom(500, Infinity)),
  shedding: fc.boolean(),
});
