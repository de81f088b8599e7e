import { describe, expect, it } from '@jest/globals';
import { versionsSchema } from '../../../src/config/versions.js';
import { besideDefault, defaultsOf, policyOf, policyView } from '../../../src/models/versions/policy.js';
import { shareOf } from '../../../src/models/versions/share-of.js';
import type { z } from 'zod';

const policy = (raw: z.input<typeof versionsSchema>): ReturnType<typeof policyOf> =>
  policyOf(versionsSchema.parse(raw));
const THERE = ['2', '10', '9'];

describe('a version policy', () => {
  it('takes versions as YAML and as JSON have them', () => {
    const spelt = policy({ serve: [1, '2'], default: 2, split: { 1: 0.25 }, shadow: 1 });
    expect(policyView(spelt)).toEqual({
      serve: ['1', '2'],
      default: '2',
      split: { 1: 0.25 },
      shadow: { version: '1', share: 1, tolerance: 1e-4 },
      keepPrevious: true,
    });
    expect(policyView(policyOf(versionsSchema.parse(policyView(spelt))))).toEqual(policyView(spelt));
  });

  it.each([
    [{ serve: [] }],
    [{ serve: 'newest' }],
    [{ default: 'v2' }],
    [{ default: '02' }],
    [{ default: -1 }],
    [{ split: { 2: 0.7, 3: 0.4 } }],
    [{ split: { canary: 0.1 } }],
    [{ split: { 2: 1.5 } }],
    [{ shadow: { version: 2, share: 2 } }],
    [{ shadow: { version: 2, tolerance: 0 } }],
    [{ pin: 2 }],
  ])('refuses %j', (raw) => {
    expect(versionsSchema.safeParse(raw).success).toBe(false);
  });

  it('takes the newest for the default that nothing else is done with, by number', () => {
    expect(defaultsOf(policy({}), THERE)).toEqual(['10', '9', '2']);
    expect(defaultsOf(policy({ split: { 10: 0.1 } }), THERE)).toEqual(['9', '2']);
    expect(defaultsOf(policy({ split: { 10: 0.1 }, shadow: 9 }), THERE)).toEqual(['2']);
    expect(defaultsOf(policy({ serve: [2, 9] }), THERE)).toEqual(['9', '2']);
    expect(defaultsOf(policy({ default: 2 }), THERE)).toEqual(['2']);
    expect(defaultsOf(policy({ split: { 10: 0.1 } }), ['10'])).toEqual(['10']);
  });

  it('loads what it serves and what it names, and no more', () => {
    expect(besideDefault(policy({}), THERE)).toEqual([]);
    expect(besideDefault(policy({ serve: 'all' }), THERE)).toEqual(THERE);
    expect(besideDefault(policy({ serve: [2], split: { 9: 0.1 }, shadow: 10 }), THERE)).toEqual([
      '2',
      '9',
      '10',
    ]);
  });
});

describe("a caller's place", () => {
  it('is always the same, and another one for another model', () => {
    expect(shareOf('10.0.0.1', 'spam')).toBe(shareOf('10.0.0.1', 'spam'));
    expect(shareOf('10.0.0.1', 'spam')).not.toBe(shareOf('10.0.0.1', 'fraud'));
  });

  it('is spread evenly, over addresses that differ in a digit too', () => {
    const callers = Array.from({ length: 20_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    const places = callers.map((caller) => shareOf(caller, 'm'));
    for (let tenth = 0; tenth < 10; tenth++) {
      const part = places.filter((place) => Math.floor(place * 10) === tenth).length / places.length;
      expect(Math.abs(part - 0.1)).toBeLessThan(0.01);
    }
    expect(Math.max(...places)).toBeLessThan(1);
  });
});
