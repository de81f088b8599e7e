import { describe, expect, it } from '@jest/globals';
import {
  createAccessLog,
  type AccessLog,
  type AccessLogOptions,
  type RequestRecord,
} from '../../src/telemetry/access-log.js';
import { createLogger } from '../../src/telemetry/logger.js';

const FINE: RequestRecord = {
  requestId: 'r',
  method: 'POST',
  route: '/predict',
  path: '/predict',
  status: 200,
  ms: 2.3456789,
  code: undefined,
  model: undefined,
  rows: undefined,
  batchRows: undefined,
  bodyMs: undefined,
  encodeMs: undefined,
  queueMs: undefined,
  runMs: undefined,
};

interface Line extends Record<string, unknown> {
  readonly sampledOneIn?: number;
  readonly suppressed?: number;
}

const accessLog = (options: Partial<AccessLogOptions> = {}): { lines: Line[]; log: AccessLog } => {
  const lines: Line[] = [];
  const logger = createLogger({}, { write: (line) => lines.push(JSON.parse(line) as Line) });
  return { lines, log: createAccessLog(logger, { accessLogPerSecond: 10, slowRequestMs: 1000, ...options }) };
};

/** `count` records, evenly over the second that begins at `fromMs`. */
const spread = (log: AccessLog, count: number, fromMs: number, record = FINE): void => {
  for (let i = 0; i < count; i++) log.record(record, fromMs + (999 * i) / count);
};

/** Every line stands for `sampledOneIn` requests. */
const standFor = (lines: readonly Line[]): number =>
  lines.reduce((sum, line) => sum + (line.sampledOneIn ?? 1), 0);

describe('access line', () => {
  it('has what is known and leaves out the rest', () => {
    const { lines, log } = accessLog();
    log.record(
      {
        ...FINE,
        caller: 'key:ci',
        model: 'spam',
        version: '3',
        rows: 2,
        batchRows: 8,
        bodyMs: 0.1234567,
        queueMs: 1,
        runMs: 0.5,
      },
      0,
    );
    expect({ ...lines[0], time: 0 }).toEqual({
      time: 0,
      level: 'info',
      service: 'carpool',
      requestId: 'r',
      method: 'POST',
      route: '/predict',
      path: '/predict',
      status: 200,
      ms: 2.346,
      caller: 'key:ci',
      model: 'spam',
      version: '3',
      rows: 2,
      batchRows: 8,
      stages: { bodyMs: 0.123, queueMs: 1, runMs: 0.5 },
      msg: 'request',
    });
  });

  it('has no stages when none is known, cuts long paths, and warns of what failed here', () => {
    const { lines, log } = accessLog();
    const long = { path: '/'.repeat(9999), model: 'm'.repeat(9999) };
    log.record({ ...FINE, ...long, status: 503, code: 'DRAINING' }, 0);
    const cut = { path: '/'.repeat(256), model: 'm'.repeat(128) };
    expect(lines[0]).toMatchObject({ level: 'warn', code: 'DRAINING', ...cut });
    expect(lines[0]).not.toHaveProperty('stages');
  });
});

describe('sampling', () => {
  it('logs all up to the rate', () => {
    const { lines, log } = accessLog();
    for (let second = 0; second < 3; second++) spread(log, 10, second * 1000);
    expect(lines).toHaveLength(30);
    expect(lines.every((line) => line.sampledOneIn === undefined)).toBe(true);
  });

  it('above the rate writes about the rate, and the lines stand for all requests', () => {
    const { lines, log } = accessLog();
    for (let second = 0; second < 20; second++) spread(log, 1000, second * 1000);
    const settled = lines.length;
    expect(settled).toBeLessThanOrEqual(20 * 10 + 50);
    expect(standFor(lines)).toBeGreaterThan(0.95 * 20_000);
    expect(standFor(lines)).toBeLessThanOrEqual(20_000);
    expect(lines.at(-1)?.sampledOneIn).toBe(100);
  });

  it('stays bounded in the first second of a flood', () => {
    const { lines, log } = accessLog();
    spread(log, 100_000, 0);
    expect(lines.length).toBeLessThanOrEqual(10 * 8);
    expect(lines.length).toBeGreaterThanOrEqual(10);
  });

  it('logs all again when the flood is over', () => {
    const { lines, log } = accessLog();
    spread(log, 1000, 0);
    spread(log, 5, 1000);
    lines.length = 0;
    spread(log, 5, 2000);
    spread(log, 5, 9000);
    expect(lines).toHaveLength(10);
  });

  it('at rate 0 logs errors and slow requests alone', () => {
    const { lines, log } = accessLog({ accessLogPerSecond: 0 });
    log.record(FINE, 0);
    log.record({ ...FINE, status: 404 }, 1);
    log.record({ ...FINE, ms: 1000 }, 2);
    expect(lines.map(({ status, ms }) => [status, ms])).toEqual([
      [404, 2.346],
      [200, 1000],
    ]);
  });
});

describe('errors and slow requests', () => {
  it('are logged whatever else is', () => {
    const { lines, log } = accessLog();
    spread(log, 1000, 0);
    lines.length = 0;
    log.record({ ...FINE, status: 500 }, 999);
    log.record({ ...FINE, ms: 5000 }, 999);
    log.record({ ...FINE, status: 499 }, 999);
    expect(lines.map(({ sampledOneIn }) => sampledOneIn)).toEqual([undefined, undefined, undefined]);
  });

  it('have a larger limit of their own, and the next line counts what it held back', () => {
    const { lines, log } = accessLog();
    spread(log, 1000, 0, { ...FINE, status: 429 });
    expect(lines).toHaveLength(100);
    log.record(FINE, 1000);
    log.record(FINE, 1001);
    expect(lines.slice(100).map(({ suppressed }) => suppressed)).toEqual([900, undefined]);
  });
});
