import { describe, expect, it } from '@jest/globals';
import type { Need } from '../../src/access/need.js';
import { EVERYBODY, NOBODY, principalOf, requireRight, satisfies } from '../../src/access/principal.js';

const spamOnly = principalOf({
  name: 'key:a',
  grants: [
    { actions: ['infer', 'read'], models: ['spam', 'team-a-*'] },
    { actions: ['manage'], models: ['*'] },
  ],
});

describe('a principal', () => {
  it.each([
    ['spam', true],
    ['spam2', false],
    ['spa', false],
    ['Spam', false],
    ['team-a-x', true],
    ['team-a-', true],
    ['team-b-x', false],
    ['', false],
    ['*', false],
    ['team-a-*', true],
  ])('may infer with %p: %p', (model, allowed) => expect(spamOnly.may('infer', model)).toBe(allowed));

  it('has the actions of its own grants only', () => {
    expect(spamOnly.may('manage', 'anything')).toBe(true);
    expect(spamOnly.may('debug', 'spam')).toBe(false);
    expect([spamOnly.mayAny('debug'), spamOnly.mayAny('infer')]).toEqual([false, true]);
    expect([spamOnly.mayAll('infer'), spamOnly.mayAll('manage')]).toEqual([false, true]);
  });

  it.each<[Need, string | undefined, boolean, boolean]>([
    ['public', 'other', true, true],
    ['infer', 'spam', true, false],
    ['infer', 'other', false, false],
    ['infer', undefined, true, false],
    ['debug', undefined, false, false],
    ['metrics', undefined, false, false],
    ['locked', undefined, true, false],
  ])('%s of %p: %p; nobody: %p', (need, model, allowed, nobody) => {
    expect(satisfies(spamOnly, need, model)).toBe(allowed);
    expect(satisfies(NOBODY, need, model)).toBe(nobody);
    expect(satisfies(EVERYBODY, need, model)).toBe(true);
  });

  it('reads metrics where it may read every model, or where they are public', () => {
    const reader = principalOf({ grants: [{ actions: ['read'], models: ['*'] }] });
    expect(satisfies(reader, 'metrics', undefined)).toBe(true);
    expect(satisfies(principalOf({ grants: [], mayReadMetrics: true }), 'metrics', undefined)).toBe(true);
  });

  it('is told what is missing, and nothing of the model', () => {
    expect(() => requireRight({ principal: spamOnly }, 'infer', 'spam')).not.toThrow();
    expect(() => requireRight({ principal: spamOnly }, 'infer', 'other')).toThrow(
      expect.objectContaining({
        code: 'FORBIDDEN',
        message: "expected a caller with the right to infer with model 'other'",
      }),
    );
  });
});
