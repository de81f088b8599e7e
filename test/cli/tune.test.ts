import { describe, expect, it } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import { runCli } from '../../src/cli/run-cli.js';
import { tuneCommand } from '../../src/cli/tune.js';
import type { TuneReport } from '../../src/tune/report.js';
import { cost, FakeBenches, TEXTS } from '../tune/fake-bench.js';
import { FakeGateway, fakeHost } from './fakes.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const host = (isTTY = false) => {
  const its = fakeHost(new FakeGateway(), { cwd: ROOT });
  return { ...its, stderr: { ...its.stderr, isTTY } };
};

describe('carpool tune', () => {
  it.each([
    [[], "required option '--model <name>' not specified"],
    [['--model', 'spam', '--slo', 'fast'], '--slo: expected a positive number; found "fast"'],
    [['--model', 'spam', '--slo', '0'], '--slo: expected a positive number; found "0"'],
    [['--model', 'spam', '--budget', '-1'], '--budget: expected a positive number; found "-1"'],
    [['--model', 'spam', '--lengths', 'zipf:2'], '--lengths: expected lognormal'],
    [['--model', 'spam', '--lengths', 'file', '--lengths-file', '/nonexistent'], '/nonexistent'],
  ])('%j is wrong usage: 2, on stderr', async (args, text) => {
    const its = host();
    expect((await runCli(['tune', ...args], its)).exitCode).toBe(2);
    expect(its.err.join('')).toContain(text);
    expect(its.out).toEqual([]);
  });

  it.each([
    ['spamm', "no model 'spamm' in the model root; did you mean 'spam'?"],
    ['qqqqqqqq', 'there are: fraud_detector, spam'],
  ])('does not know %s: 1, with the nearest', async (name, text) => {
    const its = host();
    expect((await runCli(['tune', '--model', name], its)).exitCode).toBe(1);
    expect(its.err.join('')).toContain(text);
    expect(its.err.join('')).not.toMatch(/\n\s+at /);
  });

  const tune = async (isTTY: boolean, more: { json?: boolean } = {}) => {
    const its = host(isTTY);
    const benches = new FakeBenches({ ...TEXTS, name: 'spam' }, () => cost(1, 0.05));
    const deps = { cores: 1, open: benches.openBench, play: { least: 100, most: 100 } };
    const ending = await tuneCommand({ model: 'spam', slo: '50', ...more }, its, deps);
    return { ending, out: its.out.join(''), err: its.err.join('') };
  };

  it('prints the report on stdout and a line a step on stderr', async () => {
    const { ending, out, err } = await tune(false);
    expect(ending.exitCode).toBe(0);
    expect(out).toMatch(/^spam: texts .*\n/);
    expect(out).toMatch(/models:\n {2}spam:\n {4}batching:\n {6}sloMs: 50\n$/);
    expect(err).toMatch(/^1 lane × 1 thread: loading\n1 lane × 1 thread: measuring for 6 s\n/);
  });

  it('keeps a single line of progress on a terminal, and removes it', async () => {
    const { err } = await tune(true);
    expect(err).not.toContain('\n');
    expect(err).toMatch(/loading.*measuring.*simulating.*\r\u001b\[2K$/s);
  });

  it('prints JSON', async () => {
    const { out } = await tune(false, { json: true });
    const report = JSON.parse(out) as TuneReport;
    expect(report).toMatchObject({ model: { name: 'spam' }, slo: { ms: 50, from: 'option' }, cores: 1 });
  });
});
