import { describe, expect, it } from '@jest/globals';
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gateOf } from '../../src/access/create-gate.js';
import { presentedIn } from '../../src/access/credentials.js';
import type { Gate } from '../../src/access/gate.js';
import { hashOfKey, KeyRing, newKey } from '../../src/access/key-hash.js';
import { resolveConfig } from '../../src/config/resolve.js';
import { tempFolder } from '../support/start-gateway.js';
import { admit, keepingLogger, rolesInput } from './support.js';

describe('a key', () => {
  it('is 256 random bits, and its hash is SHA-256', () => {
    const keys = Array.from({ length: 100 }, newKey);
    expect(new Set(keys).size).toBe(100);
    for (const key of keys) expect(key).toMatch(/^carpool_[\w-]{43}$/);
    expect(hashOfKey('abc')).toBe('sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  it('is found among several, each active', () => {
    const [a, b] = [newKey(), newKey()];
    const ring = new KeyRing([a, b].map((key, value) => ({ hash: hashOfKey(key), value })));
    expect([ring.find(a), ring.find(b)]).toEqual([0, 1]);
    for (const wrong of [newKey(), a.slice(0, -1), `${a}a`, '', hashOfKey(a), a.toUpperCase()])
      expect(ring.find(wrong)).toBeUndefined();
  });
});

describe('credentials', () => {
  it.each<[string | undefined, string | undefined, string | undefined]>([
    ['Bearer abc', undefined, 'abc'],
    ['bearer   abc ', undefined, 'abc'],
    [undefined, 'abc', 'abc'],
    [undefined, ' abc ', 'abc'],
    ['Bearer abc', 'other', 'abc'],
    ['Basic YTpi', 'abc', 'abc'],
    ['Basic YTpi', undefined, undefined],
    ['Bearer', undefined, undefined],
    ['Bearer ', undefined, undefined],
    ['Bearer a b', undefined, undefined],
    ['Bearerabc', undefined, undefined],
    ['', '', undefined],
    [undefined, undefined, undefined],
    [`Bearer ${'a'.repeat(8193)}`, undefined, undefined],
  ])('Authorization %p, x-api-key %p: %p', (authorization, apiKey, presented) =>
    expect(presentedIn(authorization, apiKey)).toBe(presented),
  );
});

describe('the file of keys', () => {
  const withFile = async (
    text: string,
    test: (parts: {
      file: string;
      gate: Gate;
      log: ReturnType<typeof keepingLogger>;
      passMs: (ms: number) => void;
    }) => Promise<void>,
  ): Promise<void> => {
    const folder = await tempFolder();
    try {
      const file = path.join(folder.path, 'keys.yaml');
      await writeFile(file, text);
      const log = keepingLogger();
      let nowMs = 0;
      const { access } = resolveConfig({ access: { roles: rolesInput(), keysFile: 'keys.yaml' } }, '/base');
      const deps = { baseDir: folder.path, env: {}, now: () => nowMs, unixNow: () => 0, logger: log.logger };
      const gate = gateOf(access, deps);
      await test({ file, gate, log, passMs: (ms) => (nowMs += ms) });
    } finally {
      await folder.remove();
    }
  };

  const linesFor = (...keys: readonly string[]): string =>
    `keys:\n${keys.map((key) => `  - { name: n, hash: '${hashOfKey(key)}', roles: [read] }\n`).join('')}`;

  const isGood = async (gate: Gate, key: string): Promise<boolean> => {
    try {
      return (await admit(gate, key, 'read', 'spam')).name === 'key:n';
    } catch {
      return false;
    }
  };

  const [a, b] = [newKey(), newKey()];

  it('is read again when it changed, at most once a second', () =>
    withFile(linesFor(a), async ({ file, gate, log, passMs }) => {
      expect([await isGood(gate, a), await isGood(gate, b)]).toEqual([true, false]);
      await writeFile(file, linesFor(a, b));
      passMs(999);
      expect(await isGood(gate, b)).toBe(false);
      passMs(1);
      expect([await isGood(gate, b), await isGood(gate, a)]).toEqual([true, true]);
      await writeFile(`${file}.new`, linesFor(b));
      await rename(`${file}.new`, file);
      passMs(1000);
      expect([await isGood(gate, a), await isGood(gate, b)]).toEqual([false, true]);
      expect(log.lines()).toMatchObject([
        { level: 'info', file },
        { level: 'info', file },
      ]);
    }));

  it.each([
    ['is no YAML', 'keys: ['],
    ['has a hash that is none', "keys: [{ name: n, hash: 'sha256:1', roles: [read] }]"],
    ['has a role that there is not', linesFor(b).replace('read', 'rad')],
    ['has an unknown key', `${linesFor(b)}more: 1\n`],
  ])('stays in force as it was when the new one %s, which is said once', (_what, text) =>
    withFile(linesFor(a), async ({ file, gate, log, passMs }) => {
      await writeFile(file, text);
      for (let i = 0; i < 3; i++) {
        passMs(1000);
        expect([await isGood(gate, a), await isGood(gate, b)]).toEqual([true, false]);
      }
      expect(log.lines()).toMatchObject([{ level: 'error', file }]);
      await writeFile(file, linesFor(b));
      passMs(1000);
      expect([await isGood(gate, a), await isGood(gate, b)]).toEqual([false, true]);
    }),
  );

  it('stays in force when the file is gone', () =>
    withFile(linesFor(a), async ({ file, gate, log, passMs }) => {
      await rm(file);
      for (let i = 0; i < 2; i++) {
        passMs(1000);
        expect(await isGood(gate, a)).toBe(true);
      }
      expect(log.lines()).toMatchObject([{ level: 'error', file }]);
    }));

  it('does not say in the log what stands where a hash belongs', () =>
    withFile(linesFor(a), async ({ file, gate, log, passMs }) => {
      await writeFile(file, linesFor(a).replace(/sha256:\w+/, b));
      passMs(1000);
      expect(await isGood(gate, a)).toBe(true);
      expect(log.text()).toContain('keys.0.hash');
      expect(log.text()).not.toContain(b.slice(8));
    }));

  it('must be good at the start', async () => {
    await expect(withFile(linesFor(a).replace('read', 'rad'), () => Promise.resolve())).rejects.toMatchObject(
      {
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(
          /access\.keysFile \(keys\.yaml\): keys\.yaml:2: expected one of access\.roles/,
        ),
      },
    );
  });
});
