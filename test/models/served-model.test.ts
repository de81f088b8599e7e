import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Batching } from '../../src/config/batching.js';
import type { Payload } from '../../src/executor/join.js';
import { openLinkOf } from '../../src/executor/open-link.js';
import type { ServedModel } from '../../src/models/served-model.js';
import { gated, type Gate } from '../support/gated-link.js';
import { f32 } from '../support/lanes.js';
import { ask, startModelHost, type ModelHost } from '../support/model-host.js';
import { turn } from '../support/puppet-model.js';
import { makeTempRoot, type TempRoot } from '../support/temp-root.js';

let root: TempRoot;
let gate: Gate;
let host: ModelHost | undefined;
beforeEach(async () => {
  root = await makeTempRoot();
  gate = gated(openLinkOf('thread'));
});
afterEach(async () => {
  await host?.close();
  host = undefined;
  await root.remove();
});

/** One lane; nothing runs but what is asked for. */
const load = async (name: string, composition: Batching['composition']): Promise<ServedModel> => {
  await root.copy(name, `${name}/model.onnx`);
  host = await startModelHost(root.path, gate.open, {
    lanes: 1,
    batching: { composition, calibrate: 'off' },
  });
  const model = await host.loader.load('m', name, true);
  gate.sent.length = 0;
  return model;
};

const runs = (): number => gate.sent.filter((type) => type === 'run').length;

const rows = (...values: number[]): Payload => ({
  kind: 'tensors',
  rows: values.length,
  inputs: [
    f32(
      [values.length, 3],
      values.flatMap((value) => [value, value, value]),
    ),
  ],
});

describe('a served model', () => {
  it('joins the rows that wait', async () => {
    const model = await load('dyn_tail', 'fifo');
    const item = (value: number): Payload => ({
      kind: 'tensors',
      rows: 1,
      inputs: [f32([1, 2, 2], [value, 1, value, 2])],
    });
    expect(await ask(model, [item(1), item(2), item(3)])).toEqual([
      [2, 3],
      [4, 3],
      [6, 3],
    ]);
    expect(runs()).toBe(1);
  });

  it('runs every item alone where joining is switched off', async () => {
    const model = await load('fixed_batch', 'off');
    expect((await ask(model, [rows(1), rows(2), rows(3)])).map(([first]) => first)).toEqual([4, 7, 10]);
    expect(runs()).toBe(3);
  });

  it('runs every request alone where rows change each other', async () => {
    const model = await load('leaky', 'fifo');
    expect((await ask(model, [rows(1, 3), rows(7), rows(2, 4)])).map(([first]) => first)).toEqual([
      -1, 0, -1,
    ]);
    expect(runs()).toBe(3);
  });

  it('fills chunks of a fixed batch as far as it goes', async () => {
    const model = await load('fixed_batch', 'fifo');
    const answers = await ask(model, [rows(1), rows(2, 3), rows(4), rows(5)]);
    expect(answers.map(([first]) => first)).toEqual([4, 7, 13, 16]);
    expect(runs()).toBe(2);
  });

  it('tells what it does and what waits', async () => {
    const model = await load('fixed_batch', 'fifo');
    gate.close();
    const first = ask(model, [rows(1)]);
    await turn();
    const second = ask(model, [rows(2, 3), rows(4)]);
    const metric = async (name: string): Promise<number> =>
      Number(
        new RegExp(`^carpool_${name}\\{[^}]*model="m"[^}]*\\} (\\S+)$`, 'm').exec(
          (await host!.metrics.render()).body,
        )?.[1],
      );
    expect(await metric('batches_total')).toBe(1);
    expect(await metric('queue_rows')).toBe(3);
    expect(await metric('queue_oldest_age_seconds')).toBeGreaterThanOrEqual(0);
    gate.release();
    await Promise.all([first, second]);
    expect(await metric('queue_rows')).toBe(0);
    expect(await metric('queue_oldest_age_seconds')).toBe(0);
    expect(await metric('run_seconds_count')).toBe(2);
  });

  it('counts as the time of a run its lane and the least that messages took', async () => {
    const model = await load('fixed_batch', 'fifo');
    const first = model.runs.occupied(10, 12);
    expect(first).toBeGreaterThan(10);
    expect(first).toBeLessThanOrEqual(12);
    // A busy event loop is no cost of the run; nor can messages take less than nothing.
    expect(model.runs.occupied(20, 500)).toBe(first + 10);
    expect(model.runs.occupied(10, 9)).toBe(10);
    expect(model.runs.occupied(10, 500)).toBe(10);
  });
});
