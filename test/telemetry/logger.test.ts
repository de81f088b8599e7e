import { describe, expect, it } from '@jest/globals';
import { createLogger, silentLogger, type LoggerOptions, type LogLevel } from '../../src/telemetry/logger.js';

const capture = (
  options: LoggerOptions,
  isTTY = false,
): { lines: string[]; log: ReturnType<typeof createLogger> } => {
  const lines: string[] = [];
  return { lines, log: createLogger(options, { write: (line) => lines.push(line), isTTY }) };
};

describe('createLogger', () => {
  it('writes one JSON object a line, with ISO time, level name and service', () => {
    const { lines, log } = capture({ format: 'json' });
    log.info({ rows: 3 }, 'ran');
    const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    expect(lines[0]).toMatch(/\}\n$/);
    expect(line).toMatchObject({ level: 'info', service: 'carpool', rows: 3, msg: 'ran' });
    expect(new Date(String(line.time)).toISOString()).toBe(line.time);
    expect(Object.keys(line)).toEqual(['level', 'time', 'service', 'rows', 'msg']);
  });

  it('writes errors with their stack', () => {
    const { lines, log } = capture({});
    log.error({ err: new Error('why') }, 'failed');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      err: { message: 'why', stack: expect.stringContaining('logger.test') },
    });
  });

  it.each<[LogLevel, number]>([
    ['trace', 6],
    ['info', 4],
    ['error', 2],
    ['silent', 0],
  ])('level %s lets %d of six lines through', (level, expected) => {
    const { lines, log } = capture({ level });
    log.trace('1');
    log.debug('2');
    log.info('3');
    log.warn('4');
    log.error('5');
    log.fatal('6');
    expect([lines.length, log.level]).toEqual([expected, level]);
  });

  it('gives children their bindings', () => {
    const { lines, log } = capture({});
    log.child({ model: 'spam' }).info('loaded');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ model: 'spam', msg: 'loaded' });
  });

  it.each<[LoggerOptions['format'], boolean, boolean]>([
    ['auto', true, true],
    ['auto', false, false],
    ['json', true, false],
    ['pretty', false, true],
  ])('format %s, terminal %p: pretty %p', (format, isTTY, isPretty) => {
    const { lines, log } = capture(format === undefined ? {} : { format }, isTTY);
    log.info({ rows: 3 }, 'ran');
    const text = lines.join('');
    expect(text.startsWith('{')).toBe(!isPretty);
    expect(text).toContain('ran');
    expect(text.includes('\u001b[')).toBe(isPretty && isTTY);
  });
});

describe('silentLogger', () => {
  it('can be called and have children', () => {
    const log = silentLogger();
    expect(() => log.child({ a: 1 }).error({ err: new Error('x') }, 'y')).not.toThrow();
    expect(log.level).toBe('silent');
  });
});
