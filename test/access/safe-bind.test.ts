import { describe, expect, it } from '@jest/globals';
import { requireSafeBind } from '../../src/access/safe-bind.js';
import { resolveConfig } from '../../src/config/resolve.js';
import type { ConfigInput } from '../../src/config/schema.js';
import { createGateway } from '../../src/gateway.js';

const refusal = (input: ConfigInput): string | undefined => {
  try {
    requireSafeBind(resolveConfig(input, '/base'));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

describe('a server without access control', () => {
  it.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('listens on %s', (host) =>
    expect(refusal({ server: { host }, grpc: { enabled: true, host } })).toBeUndefined(),
  );

  it.each([
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '127.example.com',
    'localhost.example.com',
    '128.0.0.1',
    '::ffff:8.8.8.8',
  ])('does not listen on %s, and says what to do', (host) => {
    expect(refusal({ server: { host } })).toMatch(
      /server\.host: .* can be reached from other machines.*carpool key.*127\.0\.0\.1.*allowUnauthenticated: true/,
    );
    expect(refusal({ grpc: { enabled: true, host } })).toMatch(/^[^]*grpc\.host: /);
    expect(refusal({ grpc: { enabled: false, host } })).toBeUndefined();
  });

  it('does where that is meant, or where access is configured', () => {
    const host = '0.0.0.0';
    expect(refusal({ server: { host, allowUnauthenticated: true } })).toBeUndefined();
    expect(refusal({ server: { host }, access: {} })).toBeUndefined();
  });

  it('refuses to start before it loads anything', async () => {
    const gateway = createGateway({ server: { host: '0.0.0.0', port: 0 }, log: { level: 'silent' } });
    await expect(gateway.listen()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(await gateway.close()).toBe('drained');
  });
});
