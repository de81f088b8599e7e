import type { Knobs, QueuedItem, Snapshot } from '#batcher';
import fc from 'fast-check';

/** True or false, but mostly this. */
const mostly = (usual: boolean): fc.Arbitrary<boolean> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constant(!usual) });

const item = fc.record({
  rows: fc.integer({ min: 1, max: 5 }),
  // Often alike: else hardly anything is joined, and the limits of a batch are never met.
  length: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constantFrom(8, 9, 31, 32, 33)),
  compat: mostly(true).map((same) => (same ? 'x' : 'y')),
  keyStep: fc.integer({ min: 0, max: 3 }),
  ageMs: fc.oneof(fc.nat(100), fc.nat(5)),
  bulk: mostly(false),
  slackMs: fc.oneof(fc.constant(Infinity), fc.constant(Infinity), fc.nat(200)),
});

/** Random snapshots: a window in the order of keys, some items late, some bulk, a few shapes; any cost. */
export const snapshots: fc.Arbitrary<Snapshot> = fc
  .record({
    items: fc.oneof(fc.array(item, { maxLength: 4 }), fc.array(item, { maxLength: 40, size: '+1' })),
    more: fc.oneof(fc.constant(0), fc.nat(500)),
    draining: mostly(false),
    idleLanes: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 4 })),
    utilisation: fc.double({ min: 0, max: 1, noNaN: true }),
    quiet: fc.boolean(),
    basis: fc.constantFrom('rows' as const, 'padded' as const, 'packed' as const),
    alphaMs: fc.constantFrom(0, 0.1, 1, 10, 10),
    betaMsPerToken: fc.constantFrom(0, 0.001, 0.05),
    kneeTokens: fc.constantFrom(0, 64, 600),
    quadMsPerTokenSquared: fc.constantFrom(0, 1e-6, 1e-4),
    trusted: mostly(true),
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
  .map(({ items, more, draining, idleLanes, utilisation, quiet, basis, trusted, echo, ...coefficients }) => {
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
      quiet,
      cost: { basis, trusted, coefficients },
      ...(echo === undefined ? {} : { echo }),
    };
  });

/** The time at which the snapshots are looked at. */
export const NOW = 1_000;

export const knobs: fc.Arbitrary<Knobs> = fc.record({
  maxBatch: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constant(64)),
  maxWaitMs: fc.constantFrom(0, 0, 3, 50),
  echoHoldMs: fc.constantFrom(0, 0, 0.5, 4),
  maxBatchTokens: fc.oneof(fc.integer({ min: 1, max: 2_000 }), fc.constant(16_384)),
  maxQueue: fc.constant(10_000),
  join: mostly(true),
  sloMs: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constantFrom(500, Infinity)),
  shedding: fc.boolean(),
});
