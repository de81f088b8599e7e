import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { simulateCommand, type SimulateCommandOptions } from '../../src/cli/simulate.js';
import { verdictsOn } from '../../src/sim/goals.js';
import { fixedLengths, lognormalLengths } from '../../src/sim/lengths.js';
import type { Cell } from '../../src/sim/suite.js';
import { parseTrace } from '../../src/sim/trace-file.js';

const run = async (options: SimulateCommandOptions): Promise<{ code: number; text: string }> => {
  let text = '';
  const code = await simulateCommand(options, { write: (part) => (text += part) });
  return { code, text };
};

describe('carpool simulate', () => {
  it('prints a table, and JSON when asked', async () => {
    const scenario = { rate: '800', requests: '2000' };
    expect((await run(scenario)).text).toContain('| p50 · p99 ');
    const report: unknown = JSON.parse((await run({ ...scenario, json: true })).text);
    expect(report).toMatchObject({ requests: 2_000, served: 2_000, refused: 0, late: 0 });
  });

  it('plays closed loops, bursts, bulk and requests of several rows', async () => {
    const base = { requests: '500', json: true };
    for (const options of [
      { clients: '4', think: '2' },
      { arrivals: 'bursts', rate: '300' },
      { bulk: '100,200', rate: '300' },
      { rows: '3', lengths: 'fixed:20' },
    ])
      expect(JSON.parse((await run({ ...base, ...options })).text)).toMatchObject({ late: 0, refused: 0 });
  });

  it('shows what the echo hold is worth to two clients that come back at once, and that it is off by default', async () => {
    const requestsPerS = async (echoHold?: string): Promise<number> => {
      const scenario = { clients: '2', think: '0.2', requests: '1000', lengths: 'fixed:40', json: true };
      const { text } = await run(echoHold === undefined ? scenario : { ...scenario, echoHold });
      return (JSON.parse(text) as { requestsPerS: number }).requestsPerS;
    };
    const without = await requestsPerS();
    expect(await requestsPerS('0')).toBe(without);
    expect((await requestsPerS('1')) / without).toBeGreaterThan(1.5);
  });

  it('plays a recorded trace with recorded lengths', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'carpool-sim-'));
    try {
      const trace = join(dir, 'trace.jsonl');
      await writeFile(
        trace,
        '{"atMs": 5, "length": 40, "rows": 2}\n\n{"atMs": 0, "length": 7, "caller": "a"}\n',
      );
      expect(JSON.parse((await run({ trace, json: true })).text)).toMatchObject({ requests: 2, served: 2 });
      const lengthsFile = join(dir, 'lengths.txt');
      await writeFile(lengthsFile, '12\n30\n7\n');
      const report = await run({ lengths: 'file', lengthsFile, requests: '100', json: true });
      expect(JSON.parse(report.text)).toMatchObject({ served: 100 });
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it.each<[SimulateCommandOptions, string]>([
    [{ rate: 'fast' }, '--rate: expected a positive number; found "fast"'],
    [{ cost: '3,0.004' }, '--cost: expected 4 numbers separated by commas; found "3,0.004"'],
    [{ lengths: 'zipf:2' }, 'found "zipf:2"'],
    [{ rule: 'lifo' }, '--rule: expected cost, none, fifo:ROWS'],
    [{ arrivals: 'never' }, '--arrivals: expected poisson or bursts; found "never"'],
  ])('refuses %j', async (options, message) => {
    await expect(run(options)).rejects.toThrow(message);
  });

  it('names the line of a trace that is wrong', () => {
    expect(() => parseTrace('{"atMs": 0, "length": 1}\n{"atMs": 1}\n')).toThrow('trace, line 2');
    expect(() => parseTrace('{"atMs": 0, "length": 1}\nnonsense\n')).toThrow('trace, line 2');
    expect(() => parseTrace('\n')).toThrow('at least one request');
  });

  it('passes a suite whose goals are met, and says which is short', async () => {
    const effort = { requests: 500, seeds: [1], tolerance: 0.05 };
    let text = '';
    const out = { write: (part: string) => (text += part) };
    let ticks = 0;
    const options = {
      tuning: effort,
      testing: effort,
      regimes: ['cpu'],
      laws: [lognormalLengths(40, 0.8), fixedLengths(30)],
      peers: { fifo: ['fifo:2', 'fifo:4'] },
      offlineItems: 1_000,
      nowMs: () => (ticks += 1_000),
    } as const;
    const code = await simulateCommand({ suite: true, json: true }, out, options);
    const { cells } = JSON.parse(text) as { cells: Cell[] };
    expect(cells.map(({ law }) => law)).toEqual(['lognormal 40/0.8', 'fixed 30']);
    expect(code).toBe(cells.flatMap(verdictsOn).every(({ pass }) => pass) ? 0 : 1);
    const [cell] = cells;
    if (cell === undefined) throw new Error('no cell');
    const short = verdictsOn({ ...cell, capacity: 0.9 * cell.noBatching }).filter(({ pass }) => !pass);
    expect(short.map(({ goal }) => goal)).toEqual(expect.arrayContaining(['vs no batching >= 0.98']));
  });
});
