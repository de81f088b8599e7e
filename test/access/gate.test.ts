import { describe, expect, it } from '@jest/globals';
import { gateOf } from '../../src/access/create-gate.js';
import type { Gate } from '../../src/access/gate.js';
import { hashOfKey, newKey } from '../../src/access/key-hash.js';
import type { Need } from '../../src/access/need.js';
import { codeOf } from '../../src/errors.js';
import { resolveConfig } from '../../src/config/resolve.js';
import { silentLogger } from '../../src/telemetry/logger.js';
import { admit, rolesInput, type AccessInput } from './support.js';

const key = newKey();
const KEYS = [{ name: 'a', hash: hashOfKey(key), roles: ['infer'] }];

const gateWith = (input: AccessInput | undefined): Gate => {
  const { access } = resolveConfig(
    input === undefined ? {} : { access: { roles: rolesInput(), ...input } },
    '/base',
  );
  return gateOf(access, {
    baseDir: '/base',
    env: {},
    now: () => 0,
    unixNow: () => 0,
    logger: silentLogger(),
  });
};

const outcome = (gate: Gate, presented: string | undefined, need: Need): Promise<string> =>
  admit(gate, presented, need, need === 'metrics' ? undefined : 'm').then(
    ({ name }) => name ?? 'anonymous',
    (error: unknown) => codeOf(error),
  );

const NEEDS: readonly Need[] = ['public', 'infer', 'read', 'metrics', 'manage', 'debug', 'locked'];

const outcomes = (gate: Gate, presented?: string): Promise<string[]> =>
  Promise.all(NEEDS.map((need) => outcome(gate, presented, need)));

const [A, U, F] = ['anonymous', 'UNAUTHENTICATED', 'FORBIDDEN'];

describe('the gate', () => {
  it('is open without configuration', async () => {
    expect(await outcomes(gateWith(undefined))).toEqual([A, A, A, A, A, A, A]);
  });

  it('is shut for all where the section is empty', async () => {
    expect(await outcomes(gateWith({}))).toEqual([A, U, U, U, U, U, U]);
    expect(await outcomes(gateWith({}), key)).toEqual([A, U, U, U, U, U, U]);
  });

  it('opens for what a role allows', async () => {
    expect(await outcomes(gateWith({ keys: KEYS }), key)).toEqual(['key:a', 'key:a', F, F, F, F, F]);
  });

  it.each<[NonNullable<AccessInput['public']>, readonly string[], readonly string[]]>([
    [['metrics'], [A, U, U, A, U, U, U], ['key:a', 'key:a', F, 'key:a', F, F, F]],
    [['read'], [A, U, A, A, U, U, U], ['key:a', 'key:a', 'key:a', 'key:a', F, F, F]],
    [['infer'], [A, A, U, U, U, U, U], ['key:a', 'key:a', F, F, F, F, F]],
  ])('with %p public', async (open, anybody, known) => {
    const gate = gateWith({ keys: KEYS, public: open });
    expect(await outcomes(gate)).toEqual(anybody);
    expect(await outcomes(gate, 'wrong')).toEqual(anybody);
    expect(await outcomes(gate, key)).toEqual(known);
  });

  it.each<[string, object, RegExp]>([
    [
      'a role that there is not',
      { keys: [{ ...KEYS[0], roles: ['root'] }] },
      /access\.keys\.0\.roles\.0: expected one of access\.roles \(infer, /,
    ],
    [
      'a key in place of its hash',
      { keys: [{ ...KEYS[0], hash: key }] },
      /access\.keys\.0\.hash: expected "sha256:" and 64.*not shown here$/,
    ],
    [
      'a public right to manage',
      { public: ['manage'] },
      /access\.public\.0: expected one of "infer", "read", "metrics"/,
    ],
    [
      'a star in the middle',
      { roles: { r: [{ actions: ['infer'], models: ['a*b'] }] } },
      /access\.roles\.r\.0\.models\.0: expected a model's name/,
    ],
    ['models left out', { roles: { r: [{ actions: ['infer'] }] } }, /access\.roles\.r\.0\.models: expected/],
  ])('is refused with %s', (_what, input, message) => {
    expect(() => gateWith(input as AccessInput)).toThrow(message);
    expect(() => gateWith(input as AccessInput)).not.toThrow(key);
  });
});
