import { describe, expect, it } from '@jest/globals';
import { versionsSchema } from '../../../src/config/versions.js';
import type { ServedModel } from '../../../src/models/served-model.js';
import { VersionGroup } from '../../../src/models/versions/group.js';
import { policyOf } from '../../../src/models/versions/policy.js';

const CALLERS = Array.from({ length: 1_000 }, (_, i) => `caller ${i}`);

/** Versions 1 (the default), 2 (30 %) and 3 (30 %), of which these are loaded. */
const groupOf = (...versions: string[]): VersionGroup => {
  const loaded = new Map(
    versions.map((version) => {
      // Checked by reading: a group looks at nothing else of a model.
      const model = { info: { name: 'm', card: { version } } } as unknown as ServedModel;
      return [version, { model, path: `m/${version}`, stamp: '' }];
    }),
  );
  const policy = policyOf(versionsSchema.parse({ default: 1, split: { 2: 0.3, 3: 0.3 } }));
  return new VersionGroup({ ...{ name: 'm', path: 'm', stamp: '' }, isVersioned: true, policy, loaded });
};

const versionOf = (group: VersionGroup, caller: string): string => group.forCaller(caller).info.card.version;

describe('a split', () => {
  it.each([
    ['2', groupOf('1', '3')],
    ['3', groupOf('1', '2')],
  ])('of which version %s is missing leaves all others where they are', (missing, group) => {
    const whole = groupOf('1', '2', '3');
    const counts = new Map<string, number>();
    for (const caller of CALLERS) {
      const usual = versionOf(whole, caller);
      counts.set(usual, (counts.get(usual) ?? 0) + 1);
      expect(versionOf(group, caller)).toBe(usual === missing ? '1' : usual);
    }
    for (const version of ['2', '3']) expect(counts.get(version)).toBeGreaterThan(250);
  });
});
