import { afterAll, describe, expect, it } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { loadConfig } from '../../src/config/load.js';
import type { TuneReport } from '../../src/tune/report.js';
import { SHIPPED_MODELS, tempFolder } from '../support/start-gateway.js';
import { MAIN, startChild } from './serve-child.js';

const folder = await tempFolder();
afterAll(() => folder.remove());

const tune = async (
  model: string,
  ...more: string[]
): Promise<{ code: number | null; out: string; err: string }> => {
  const config = path.join(folder.path, 'config.yaml');
  await writeFile(config, stringify({ models: { root: SHIPPED_MODELS } }));
  // Enough for a round in each layout on a slow machine; what it finds is not looked at, only that it is whole.
  const args = ['tune', '--config', config, '--model', model, '--budget', '3', ...more];
  const child = startChild(process.execPath, [MAIN, ...args]);
  const { code } = await child.exit;
  return { code, out: child.stdout(), err: child.stderr() };
};

/** The recommended lines are a config of their own that says what was recommended. */
const checkLines = async ({ recommended, model }: TuneReport): Promise<void> => {
  const file = path.join(folder.path, 'recommended.yaml');
  await writeFile(file, recommended.yaml);
  const { config } = loadConfig({ file, env: {} });
  expect(config.lanes).toMatchObject(recommended.layout);
  const own = { ...config.batching, ...config.models.overrides.get(model.name)?.batching };
  expect(own).toMatchObject({
    maxBatch: recommended.maxBatch,
    maxBatchTokens: recommended.maxBatchTokens,
  });
};

describe('carpool tune', () => {
  it('measures spam by length', async () => {
    const { code, out } = await tune('spam', '--slo', '50', '--json');
    expect(code).toBe(0);
    const report = JSON.parse(out) as TuneReport;
    expect(report.slo).toEqual({ ms: 50, from: 'option' });
    expect(report.gains.byLength?.map(({ length }) => length)).toEqual([8, 16, 32, 64, 128]);
    expect(report.layouts.length).toBeGreaterThan(0);
    for (const { capacity, loneShortMs, loneLongMs, cost } of report.layouts)
      for (const value of [
        capacity.cost,
        capacity.none,
        capacity.fifo,
        loneShortMs,
        loneLongMs,
        cost.alphaMs,
      ])
        expect(value).toBeGreaterThanOrEqual(0);
    expect((parse(report.recommended.yaml) as { models: unknown }).models).toMatchObject({
      spam: { batching: { sloMs: 50 } },
    });
    await checkLines(report);
  }, 240_000);

  it('measures fraud_detector by rows, and prints tables', async () => {
    const { code, out, err } = await tune('fraud_detector', '--slo', '60000');
    expect([code, err.match(/error/i)]).toEqual([0, null]);
    expect(out).toMatch(/^fraud_detector: rows · \d+ cores? · SLO 60000 ms \(--slo\)/);
    expect(out).toMatch(/\n\| rows .*\n.*\n\| 1 +\| \d/);
    expect(out).toMatch(/p99 within \S+ ms \(60000 ms would hardly raise it\)/);
    expect(out).toMatch(/\nlanes:\n {2}count: \d+\n {2}intraOpThreads: \d+\n/);
  }, 240_000);
});
