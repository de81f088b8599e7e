import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Payload } from '../../src/executor/join.js';
import { openLinkOf } from '../../src/executor/open-link.js';
import type { ServedModel } from '../../src/models/served-model.js';
import { gated } from '../support/gated-link.js';
import { f32, failureOf } from '../support/lanes.js';
import { ask, startModelHost, type ModelHost } from '../support/model-host.js';
import { until } from '../support/start-gateway.js';
import { makeTempRoot, type TempRoot } from '../support/temp-root.js';

let root: TempRoot;
let host: ModelHost | undefined;
beforeEach(async () => {
  root = await makeTempRoot();
});
afterEach(async () => {
  await host?.close();
  host = undefined;
  await root.remove();
});

const ROW: Payload = { kind: 'tensors', rows: 1, inputs: [f32([1, 3], [1, 1, 1])] };

/** What twenty requests get that come one after the other, so that every free lane has its turn. */
const answersOf = async (model: ServedModel): Promise<Set<unknown>> => {
  const answers = new Set<unknown>();
  for (let i = 0; i < 20; i++) answers.add((await ask(model, [ROW]))[0]?.[0]);
  return answers;
};

describe('a model file that is overwritten while it is served', () => {
  it('is in no lane: those that have read the old one serve, one that restarts goes without until it is back', async () => {
    host = await startModelHost(root.path, openLinkOf('process'), {
      lanes: 2,
      reopenAfterMs: 20,
      batching: { calibrate: 'off' },
    });
    const { pool, loader, log } = host;
    await root.copy('fixed_batch', 'm/model.onnx');
    const model = await loader.load('m', 'm', true);
    expect(await answersOf(model)).toEqual(new Set([4]));
    // It takes the same rows, and answers otherwise.
    await root.copy('leaky', 'm/model.onnx');
    process.kill(pool.pids[0]!, 'SIGKILL');
    await until('a lane is gone', () => log.includes('restart'));
    await until('it is back', () => pool.states.every((state) => state === 'idle'));
    expect(pool.lanesWith(model.key)).toBe(1);
    expect(await answersOf(model)).toEqual(new Set([4]));
    expect(log.join('\n')).toMatch(
      /fault m#1: not opened again: .*model\.onnx: the file, or weights beside it/,
    );

    await root.copy('fixed_batch', 'm/model.onnx');
    await until('the lane has opened it', () => pool.lanesWith(model.key) === 2);
    expect(await answersOf(model)).toEqual(new Set([4]));
  });

  it('before every lane has it is not loaded', async () => {
    await root.copy('fixed_batch', 'm/model.onnx');
    const gate = gated(openLinkOf('thread'));
    host = await startModelHost(root.path, gate.open, { lanes: 2 });
    gate.close();
    const loading = failureOf(host.loader.load('m', 'm', true));
    await until('it is being tested', () => gate.sent.includes('run'));
    await root.copy('leaky', 'm/model.onnx');
    gate.release();
    expect(await loading).toMatch(/^MODEL_LOAD_FAILED: m\/model\.onnx: the file, or weights beside it/);
  });
});
