import { describe, expect, it } from '@jest/globals';
import {
  formatTraceparent,
  IdSource,
  isSampled,
  parseTraceparent,
  parseTracestate,
} from '../../../src/telemetry/tracing/trace-context.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('parseTraceparent', () => {
  it.each([
    [`00-${TRACE}-${SPAN}-01`, true],
    [`00-${TRACE}-${SPAN}-00`, false],
    // The random flag of level 2 is not ours, and must not be taken for the sampled one.
    [`00-${TRACE}-${SPAN}-02`, false],
    [`00-${TRACE}-${SPAN}-03`, true],
    [`cc-${TRACE}-${SPAN}-01`, true],
    [`cc-${TRACE}-${SPAN}-01-what-the-future-will-bring`, true],
  ])('takes %s', (header, sampled) => {
    expect(parseTraceparent(header)).toEqual({ traceId: TRACE, spanId: SPAN, sampled });
  });

  it.each([
    undefined,
    '',
    TRACE,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-01-`,
    `cc-${TRACE}-${SPAN}-01.more`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    `00-${TRACE}x-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-zz`,
    ` 00-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
    Buffer.from(`00-${TRACE}-${SPAN}-01`),
  ])('takes %s for absent', (header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });

  it('reads what is printed', () => {
    const parent = { traceId: TRACE, spanId: SPAN, sampled: true };
    expect(parseTraceparent(formatTraceparent(parent))).toEqual(parent);
  });
});

describe('parseTracestate', () => {
  it.each([
    ['rojo=00f067aa0ba902b7', 'rojo=00f067aa0ba902b7'],
    [' a=1 ,, t@v=x y\t', 'a=1,t@v=x y'],
    ['0a/b*c-d_e=!', '0a/b*c-d_e=!'],
  ])('takes %j', (header, kept) => {
    expect(parseTracestate(header)).toBe(kept);
  });

  it.each([
    undefined,
    '',
    ',',
    'a',
    'a=',
    'A=1',
    'a=1,b',
    'a=1=2',
    'a=\u00e9',
    'a=1\u0000',
    '@v=1',
    `a=${'x'.repeat(511)}`,
    Array.from({ length: 33 }, (_, i) => `k${i}=1`).join(','),
  ])('takes %j for absent', (header) => {
    expect(parseTracestate(header)).toBeUndefined();
  });
});

describe('sampling', () => {
  it('takes the share of the random ids that is asked for', () => {
    const ids = new IdSource();
    const traces = Array.from({ length: 20_000 }, () => ids.traceId());
    const share = (ratio: number): number => traces.filter((id) => isSampled(id, ratio)).length / 20_000;
    expect([share(0), share(1)]).toEqual([0, 1]);
    // Ten standard deviations.
    expect(Math.abs(share(0.25) - 0.25)).toBeLessThan(0.031);
  });
});

describe('IdSource', () => {
  it('never repeats itself, and gives ids that its own reader takes', () => {
    const ids = new IdSource();
    const seen = new Set<string>();
    for (let i = 0; i < 1000; i++) {
      const header = formatTraceparent({ traceId: ids.traceId(), spanId: ids.spanId(), sampled: false });
      expect(parseTraceparent(header)).toBeDefined();
      seen.add(header.slice(3, 35)).add(header.slice(36, 52));
    }
    expect(seen.size).toBe(2000);
  });
});
