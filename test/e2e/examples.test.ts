import { afterEach, expect, it } from '@jest/globals';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { REPO_ROOT } from '../support/start-gateway.js';
import { startChild, type Child } from './serve-child.js';

const FOLDER = path.join(REPO_ROOT, 'examples');

let child: Child | undefined;
afterEach(async () => {
  await child?.end();
  child = undefined;
});

const run = async (example: string): Promise<string> => {
  const its = (child = startChild(process.execPath, [path.join(FOLDER, example)]));
  expect([await its.exit, its.stderr()]).toEqual([{ code: 0, signal: null }, '']);
  return its.stdout();
};

it('mount-in-express.mjs answers beside the app it is in', async () => {
  const lines = (await run('mount-in-express.mjs')).trim().split('\n');
  expect(lines).toEqual([
    'the app itself: my own page',
    expect.stringMatching(
      /^POST \/ai\/predict: 200 \{"predictions":\[\{"label":"spam",.*\},\{"label":"ham",.*\}\]\}$/,
    ),
    'closed: drained',
  ]);
});

it('two-gateways.mjs gives the same answers in more and in fewer runs', async () => {
  const lines = (await run('two-gateways.mjs')).trim().split('\n');
  const runs = ['prompt', 'patient'].map((name) => {
    const at = lines.findIndex((line) => line.startsWith(name));
    const [, count] = /: 300 callers in (\d+) runs, 150 of them sent spam$/.exec(lines[at] ?? '') ?? [];
    const [, alone, together] = /alone (\{.*\}), together (\{.*\})$/.exec(lines[at + 1] ?? '') ?? [];
    expect(alone).toMatch(/^\{"label":"spam","confidence":0\.\d+\}$/);
    expect(together).toBe(alone);
    return Number(count);
  });
  expect(runs[0]).toBeGreaterThan(0);
  expect(runs[1]).toBeGreaterThan(0);
  expect(runs[1]).toBeLessThan(150);
  expect(lines.at(-1)).toBe("closed: [ 'drained', 'drained' ]");
});

it('are all tested here, and each has its line in the README', async () => {
  const readme = await readFile(path.join(FOLDER, 'README.md'), 'utf8');
  const files = (await readdir(FOLDER)).filter((file) => file.endsWith('.mjs'));
  expect(files.sort()).toEqual(['mount-in-express.mjs', 'two-gateways.mjs']);
  for (const file of files) expect(readme).toContain(`\`node examples/${file}\``);
});
