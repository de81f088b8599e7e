import { describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const SCRIPT = `
  const { createMetrics } = await import('./metrics.js');
  const { createLogger } = await import('./logger.js');
  const { createSystemClock } = await import('./system-clock.js');
  const before = process.getActiveResourcesInfo().length;
  for (const format of ['json', 'pretty']) {
    const metrics = createMetrics();
    await metrics.render();
    createLogger({ format }).info('from ' + format);
    createSystemClock().callAt(performance.now() + 1e9, () => {})();
    metrics.close();
  }
  await new Promise((resolve) => setTimeout(resolve, 20));
  process.on('exit', () => {
    const left = process.getActiveResourcesInfo().filter((type) => type !== 'PipeWrap').length;
    process.stderr.write(left > before ? process.getActiveResourcesInfo().join() : 'clean');
  });
`;

describe('metrics, logger and clock', () => {
  it('let a process end by itself, with every line written', async () => {
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', SCRIPT],
      { cwd: new URL('../../src/telemetry/', import.meta.url), timeout: 20_000 },
    );
    expect(stderr).toBe('clean');
    expect(stdout).toContain('"msg":"from json"');
    expect(stdout).toContain('from pretty');
  });
});
