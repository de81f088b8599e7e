import { describe, expect, it } from '@jest/globals';
import { CarpoolError } from '../../src/errors.js';
import { createErrorLog } from '../../src/telemetry/error-log.js';
import { createLogger } from '../../src/telemetry/logger.js';

const open = () => {
  const lines: Record<string, unknown>[] = [];
  let now = 0;
  const logger = createLogger(
    { level: 'info', format: 'json' },
    { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  return { lines, log: createErrorLog(logger, () => now), advance: (ms: number) => (now += ms) };
};

const LATE = { code: 'DEADLINE_EXCEEDED', status: 504, message: 'late' } as const;

describe('the log of errors', () => {
  it('warns of what is our side, with code, cause and request, and not of what is the caller’s', () => {
    const { lines, log } = open();
    log.note(new CarpoolError('DEADLINE_EXCEEDED', 'late', { cause: new Error('slow') }), LATE, {
      requestId: 'r1',
    });
    log.note(new Error('x'), { code: 'QUEUE_FULL', status: 429, message: 'full' }, { requestId: 'r2' });
    expect(lines).toMatchObject([
      { level: 'warn', msg: 'late', code: 'DEADLINE_EXCEEDED', cause: 'slow', requestId: 'r1' },
    ]);
    expect(lines).toHaveLength(1);
  });

  it('is no flood under overload, and says how many it left out', () => {
    const { lines, log, advance } = open();
    for (let i = 0; i < 500; i++) log.note(undefined, LATE, { requestId: 'r' });
    expect(lines).toHaveLength(10);
    advance(1_000);
    log.note(undefined, LATE, { requestId: 'r' });
    expect(lines.at(-1)).toMatchObject({ suppressed: 490 });
  });

  it('leaves out none of our own bugs', () => {
    const { lines, log } = open();
    const shown = { code: 'INTERNAL', status: 500, message: 'internal error' } as const;
    for (let i = 0; i < 50; i++) log.note(new Error('secret'), shown, { requestId: 'r' });
    expect(lines.filter(({ level, msg }) => level === 'error' && msg === 'internal error')).toHaveLength(50);
  });
});
