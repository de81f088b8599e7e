import { describe, expect, it } from '@jest/globals';
import { LogLevelSwitch } from '../../src/telemetry/log-level.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { FakeClock } from '../support/fake-clock.js';

const opened = (level: 'info' | 'warn' | 'silent' = 'info') => {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger(
    { level, format: 'json' },
    { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  const clock = new FakeClock();
  return { lines, logger, clock, logLevel: new LogLevelSwitch(logger, clock) };
};

describe('LogLevelSwitch', () => {
  it('changes what is written, and says who did it', () => {
    const { lines, logger, logLevel } = opened();
    logger.debug('before');
    logLevel.set('debug', undefined, { by: 'api', caller: '::1' });
    logger.debug('after');
    expect(lines.map(({ msg }) => msg)).toEqual(['log level changed', 'after']);
    expect(lines[0]).toMatchObject({
      audit: 'log-level',
      from: 'info',
      to: 'debug',
      by: 'api',
      caller: '::1',
    });
    expect(logLevel.state).toEqual({ level: 'debug', configured: 'info' });
  });

  it('goes back to what a configuration that is read anew says, at once', async () => {
    const { logger, clock, logLevel } = opened('warn');
    logLevel.set('trace', 1000, { by: 'api' });
    logLevel.configure('error', { by: 'reload' });
    expect(logLevel.state).toEqual({ level: 'error', configured: 'error' });
    await clock.advance(1000);
    expect(logger.level).toBe('error');
    logLevel.toggleDebug({ by: 'signal' });
    logLevel.toggleDebug({ by: 'signal' });
    expect(logger.level).toBe('error');
  });

  it('goes back in time, once', async () => {
    const { lines, logger, clock, logLevel } = opened('warn');
    logLevel.set('trace', 1000, { by: 'api' });
    await clock.advance(400);
    expect(logLevel.state).toEqual({ level: 'trace', configured: 'warn', returnsInMs: 600 });
    await clock.advance(600);
    expect(logLevel.state).toEqual({ level: 'warn', configured: 'warn' });
    expect(logger.level).toBe('warn');
    expect(lines.map(({ to, by }) => [to, by])).toEqual([
      ['trace', 'api'],
      ['warn', 'time'],
    ]);
  });

  it('a later change puts off an earlier return, and a close all of them', async () => {
    const { clock, logLevel } = opened();
    logLevel.set('debug', 1000, {});
    logLevel.set('trace', undefined, {});
    await clock.advance(5000);
    expect(logLevel.state).toEqual({ level: 'trace', configured: 'info' });
    logLevel.set('debug', 1000, {});
    logLevel.close();
    await clock.advance(5000);
    expect(logLevel.state.level).toBe('debug');
  });

  it('toggles debug', () => {
    const { logLevel } = opened('warn');
    const seen = [1, 2, 3].map(() => {
      logLevel.toggleDebug({ by: 'SIGUSR2' });
      return logLevel.state.level;
    });
    expect(seen).toEqual(['debug', 'warn', 'debug']);
  });

  it('is seen in the log on the way into silence and out of it', () => {
    const { lines, logLevel } = opened();
    logLevel.set('silent', undefined, {});
    logLevel.set('error', undefined, {});
    logLevel.set('info', undefined, {});
    expect(lines.map(({ to }) => to)).toEqual(['silent', 'info']);
  });
});
