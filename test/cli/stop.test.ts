import { describe, expect, it } from '@jest/globals';
import { runCli } from '../../src/cli/run-cli.js';
import { FakeGateway, fakeHost, settle } from './fakes.js';

const serving = async (
  env: Record<string, string> = {},
  prepare: (gateway: FakeGateway) => void = () => undefined,
) => {
  const gateway = new FakeGateway();
  prepare(gateway);
  const host = fakeHost(gateway, { env });
  const ending = runCli(['serve'], host);
  await settle();
  const signal = (name: 'SIGTERM' | 'SIGINT', atMs: number): void => {
    host.nowMs = atMs;
    host.signals.emit(name, name);
  };
  let isOver = false;
  void ending.then(() => (isOver = true));
  return {
    gateway,
    host,
    signal,
    ending,
    isOver: async () => {
      await settle();
      return isOver;
    },
  };
};

describe('a signal', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('%s drains, and the end is 0', async (name) => {
    const { gateway, host, signal, ending, isOver } = await serving();
    signal(name, 0);
    expect(await isOver()).toBe(false);
    expect(gateway.calls).toEqual(['listen', 'close']);
    gateway.closing.emit('closed', 'drained');
    expect(await ending).toMatchObject({ exitCode: 0, atOnce: false });
    expect(host.signals.eventNames()).toEqual([]);
  });

  it('forces the end at the drain deadline', async () => {
    const { gateway, host, signal, ending } = await serving();
    gateway.running = true;
    signal('SIGTERM', 0);
    gateway.closing.emit('closed', 'deadline');
    const { exitCode, atOnce, isRunning } = await ending;
    expect([exitCode, atOnce, isRunning()]).toEqual([1, true, true]);
    expect(host.err.join('')).toContain('server.drainTimeoutMs (30000) is over');
  });

  it.each([
    ['SIGTERM', 'SIGTERM'],
    ['SIGINT', 'SIGTERM'],
  ] as const)('%s and then %s ends it at once', async (first, second) => {
    const { gateway, signal, ending } = await serving();
    signal(first, 0);
    signal(second, 0);
    expect(await ending).toMatchObject({ exitCode: 1, atOnce: true });
    // Its processes end before it does.
    expect(gateway.calls).toEqual(['listen', 'close', 'abandon']);
  });

  it('forces the end when the stop itself breaks', async () => {
    const { gateway, host, signal, ending } = await serving();
    signal('SIGTERM', 0);
    gateway.closing.emit('broken', new Error('lane would not go'));
    expect(await ending).toMatchObject({ exitCode: 1, atOnce: true });
    expect(host.err.join('')).toContain('the stop failed: lane would not go\n');
    expect(gateway.calls).toEqual(['listen', 'close', 'abandon']);
  });

  it('during the start is a stop, not a failed start', async () => {
    const { gateway, host, signal, ending } = await serving({}, (its) => (its.hangs = true));
    signal('SIGTERM', 0);
    gateway.closing.emit('closed', 'drained');
    expect(await ending).toMatchObject({ exitCode: 0 });
    expect(host.out).toEqual([]);
  });
});

describe("npm's echo of a signal", () => {
  const env = { npm_lifecycle_event: 'start' };

  it('is not taken for a second signal', async () => {
    const { gateway, signal, ending, isOver } = await serving(env);
    signal('SIGINT', 1000);
    signal('SIGINT', 1001);
    signal('SIGINT', 1099);
    expect(await isOver()).toBe(false);
    gateway.closing.emit('closed', 'drained');
    expect(await ending).toMatchObject({ exitCode: 0 });
  });

  it('is over after 100 ms, and never was another signal', async () => {
    const late = await serving(env);
    late.signal('SIGINT', 1000);
    late.signal('SIGINT', 1100);
    expect(await late.ending).toMatchObject({ exitCode: 1, atOnce: true });
    const other = await serving(env);
    other.signal('SIGINT', 1000);
    other.signal('SIGTERM', 1001);
    expect(await other.ending).toMatchObject({ exitCode: 1, atOnce: true });
  });
});
