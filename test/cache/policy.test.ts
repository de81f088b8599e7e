import { describe, expect, it } from '@jest/globals';
import { cachePolicyOf } from '../../src/cache/policy.js';

const of = (header?: string): string => {
  const { reads, writes, maxAgeMs } = cachePolicyOf(header);
  return [reads && 'reads', writes && 'writes', maxAgeMs !== Infinity && `≤ ${maxAgeMs} ms`]
    .filter(Boolean)
    .join(', ');
};

describe('Cache-Control of a request', () => {
  it.each([
    [undefined, 'reads, writes'],
    ['', 'reads, writes'],
    ['no-cache', 'writes'],
    ['No-Cache', 'writes'],
    ['no-store', ''],
    ['no-cache, no-store', ''],
    ['max-age=60', 'reads, writes, ≤ 60000 ms'],
    [' max-age = "5" , no-transform', 'reads, writes, ≤ 5000 ms'],
    ['max-age=0', 'reads, writes, ≤ 0 ms'],
    ['max-age=9, max-age=3', 'reads, writes, ≤ 3000 ms'],
    ['max-age=soon, only-if-cached, x=no-store', 'reads, writes'],
    ['xno-store', 'reads, writes'],
  ])('%j', (header, meaning) => {
    expect(of(header)).toBe(meaning);
  });
});
