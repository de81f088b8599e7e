import { describe, expect, it } from '@jest/globals';
import { gateOf } from '../../src/access/create-gate.js';
import { runCli } from '../../src/cli/run-cli.js';
import { resolveConfig } from '../../src/config/resolve.js';
import { readYaml } from '../../src/config/yaml-source.js';
import { silentLogger } from '../../src/telemetry/logger.js';
import { admit } from '../access/support.js';
import { FakeGateway, fakeHost } from './fakes.js';

describe('carpool key', () => {
  it('prints a key once, and lines that let it in', async () => {
    const host = fakeHost(new FakeGateway());
    expect(await runCli(['key', 'ci', '--roles', 'user,reader'], host)).toMatchObject({ exitCode: 0 });
    const out = host.out.join('');
    const key = /^carpool_\S+$/m.exec(out)?.[0] ?? '';
    expect(out.split(key)).toHaveLength(2);
    const lines = out.slice(out.indexOf('  - name'));
    const roles = {
      user: [{ actions: ['infer'], models: ['*'] }],
      reader: [{ actions: ['read'], models: ['*'] }],
    };
    const { raw } = readYaml(`access:\n  keys:\n${lines.replace(/^/gm, '  ')}`, 'config.yaml');
    const { keys } = (raw as { access: { keys: unknown } }).access;
    const { access } = resolveConfig({ access: { roles, keys } }, '/base');
    const deps = { baseDir: '/base', env: {}, now: () => 0, unixNow: () => 0, logger: silentLogger() };
    const gate = gateOf(access, deps);
    expect((await admit(gate, key, 'infer', 'm')).name).toBe('key:ci');
    expect((await admit(gate, key, 'read', 'm')).name).toBe('key:ci');
    await expect(admit(gate, `${key}x`, 'infer', 'm')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('refuses a name that the config would refuse', async () => {
    const host = fakeHost(new FakeGateway());
    expect(await runCli(['key', 'a b'], host)).toMatchObject({ exitCode: 2 });
    expect([host.out, host.err.join('')]).toEqual([[], expect.stringMatching(/expected a name.*"a b"/)]);
  });
});
