import { describe, expect, it } from '@jest/globals';
import { KINDS } from '../support/lanes.js';
import { runScript } from '../support/run-script.js';

describe.each(KINDS)('what a %s lane leaves behind', (kind) => {
  it('given up in a run: the process lives, and ends by itself', async () => {
    const { code, signal, stdout, stderr } = await runScript('lane-script', [kind, 'discard-in-run']);
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    const lost = 'WORKER_LOST: the lane was lost: given up';
    const ended = kind === 'thread' ? /^the thread ended with code 0, / : /^process \d+ ended with SIGKILL, /;
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toEqual([lost, lost, 'running true', expect.stringMatching(ended)]);
    expect(lines[3]).toMatch(/running false$/);
  });

  it('stopped: nothing, the process ends by itself', async () => {
    const { code, signal, stdout, stderr } = await runScript('lane-script', [kind, 'stop-idle']);
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    expect(stdout).toMatch(/ended with code 0\n$/);
  });
});

describe('process lanes', () => {
  it('end quietly when their gateway is gone, even after a run', async () => {
    // The lanes inherited the script's pipes: these close, and this resolves, when the last of them has ended.
    const { code, stderr } = await runScript('lane-script', ['process', 'orphan']);
    expect({ code, stderr }).toEqual({ code: 3, stderr: '' });
  });

  it('that the system can not start are lost, not hung', async () => {
    const { code, stdout } = await runScript('lane-script', ['process', 'no-process']);
    expect(stdout).toMatch(/^WORKER_LOST: .*no process could be started: .*ENOENT\n2\n$/);
    expect(code).toBe(0);
  });
});
