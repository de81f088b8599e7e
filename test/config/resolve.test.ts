import { describe, expect, it } from '@jest/globals';
import { resolveConfig } from '../../src/config/resolve.js';
import type { ConfigInput } from '../../src/config/schema.js';

const resolve = (input: unknown) => resolveConfig(input, '/base');

describe('resolveConfig fills in', () => {
  it('every default', () => {
    expect(resolve({})).toEqual({
      baseDir: '/base',
      server: {
        host: '127.0.0.1',
        port: 8080,
        bodyLimitBytes: 16 * 1024 * 1024,
        maxRequestRows: 10_000,
        maxImagePixels: 50_000_000,
        maxQueueBytes: 512 * 1024 * 1024,
        headersTimeoutMs: 10_000,
        bodyTimeoutMs: 30_000,
        keepAliveTimeoutMs: 75_000,
        drainTimeoutMs: 30_000,
        drainDelayMs: 0,
        accessLogPerSecond: 200,
        slowRequestMs: 1_000,
        serverTiming: false,
        allowedOrigins: [],
        allowedHosts: [],
      },
      grpc: { enabled: false, host: '127.0.0.1', port: 8081, maxMessageBytes: 16 * 1024 * 1024 },
      log: { level: 'info', format: 'auto' },
      lanes: {
        ...{ isolation: 'thread', count: 'auto', intraOpThreads: 'auto', executionProviders: ['cpu'] },
        ...{ runTimeoutFactor: 20, runTimeoutMinMs: 10_000, runTimeoutFirstMs: 120_000 },
        ...{ maxAbandoned: 8, exitWhenStuck: false, maxRssBytes: 0 },
        ...{ breakerLosses: 10, breakerWindowMs: 60_000, breakerPauseMs: 5_000 },
      },
      health: { stuckFactor: 100, stuckMinMs: 180_000 },
      batching: {
        maxBatch: 64,
        maxWaitMs: 0,
        echoHoldMs: 0,
        maxBatchTokens: 16_384,
        composition: 'cost',
        sloMs: 'auto',
        shedding: true,
        singleFlight: true,
        batchInvariance: 'enforce',
        calibrate: 'idle',
        calibrateBudgetMs: 2_000,
        maxQueue: 16_384,
        timeoutMs: 30_000,
      },
      models: {
        root: '/base/models',
        load: '*',
        cacheDir: '/base/.carpool',
        startupTimeoutMs: 120_000,
        overrides: new Map(),
      },
    });
  });

  it('the rest of a section that is given in part', () => {
    const input: ConfigInput = { server: { port: 0 }, lanes: { count: 3 } };
    const { server, lanes } = resolve(input);
    expect([server.port, server.host, lanes.count, lanes.isolation]).toEqual([0, '127.0.0.1', 3, 'thread']);
  });

  it('sections that are empty or undefined, and undefined keys', () => {
    const input = { server: null, models: { spam: null }, log: undefined, batching: { maxBatch: undefined } };
    const config = resolve(input);
    expect(config.server.port).toBe(8080);
    expect(config.batching.maxBatch).toBe(64);
    expect(config.models.overrides).toEqual(new Map([['spam', {}]]));
  });

  it('no undefined where an override was left open, so that it can be spread', () => {
    const config = resolve({ models: { spam: { batching: { maxBatch: undefined, maxWaitMs: 2 } } } });
    expect(Object.keys(config.models.overrides.get('spam')?.batching ?? {})).toEqual(['maxWaitMs']);
  });
});

describe('models', () => {
  it('sets the named models apart from the fixed keys', () => {
    const { models } = resolve({
      models: { root: 'm', load: ['a', 'b', 'a'], default: 'a', a: { batching: { maxBatch: 8 } } },
    });
    expect(models).toEqual({
      root: '/base/m',
      cacheDir: '/base/.carpool',
      load: ['a', 'b'],
      default: 'a',
      startupTimeoutMs: 120_000,
      overrides: new Map([['a', { batching: { maxBatch: 8 } }]]),
    });
  });

  it('keeps an absolute root', () => {
    expect(resolve({ models: { root: '/elsewhere' } }).models.root).toBe('/elsewhere');
  });

  it('takes a model called __proto__ or constructor as it takes any other', () => {
    const input: unknown = JSON.parse(
      '{"models": {"__proto__": {"batching": {"maxBatch": 2}}, "constructor": {}}}',
    );
    const { overrides } = resolve(input).models;
    expect(overrides.get('__proto__')).toEqual({ batching: { maxBatch: 2 } });
    expect([...overrides.keys()]).toEqual(['__proto__', 'constructor']);
    expect(overrides.get('toString')).toBeUndefined();
  });
});
