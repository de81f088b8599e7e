import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import type { ConfigInput } from '../../src/config/schema.js';
import { createGateway } from '../../src/gateway.js';
import { FIXTURES, SHIPPED_MODELS, tempFolder, until, type TempFolder } from '../support/start-gateway.js';
import { MAIN, printed, startChild, type Child } from './serve-child.js';

let folder: TempFolder;
let child: Child | undefined;
/** Processes of lanes and trials. */
let pids: readonly number[] = [];

beforeEach(async () => {
  folder = await tempFolder();
});
afterEach(async () => {
  for (const pid of pids.filter(isThere)) process.kill(pid, 'SIGKILL');
  await child?.end();
  child = undefined;
  await folder.remove();
});

const serve = async (config: ConfigInput): Promise<Child> => {
  const file = path.join(folder.path, 'config.yaml');
  await writeFile(file, stringify({ ...config, batching: { calibrate: 'off' } }));
  child = startChild(process.execPath, [MAIN, 'serve', '--config', file], {
    env: { CARPOOL_PORT: '0', CARPOOL_LOG_LEVEL: 'info' },
  });
  return child;
};

const childrenOf = (pid: number | undefined): readonly number[] =>
  readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8')
    .split(' ')
    .map(Number)
    .filter((each) => each > 0);

/** As it is in the fixture: 64 * 2700, and in its place a number that no run comes to the end of. */
const [TRIPS, FOR_EVER] = [172_800n, 2n ** 62n].map((trips) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(trips);
  return bytes;
});

const isThere = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

it('abandon() leaves no lane that is a process, though one hangs', async () => {
  const gateway = createGateway({
    log: { level: 'silent' },
    lanes: { count: 2, intraOpThreads: 1, isolation: 'process' },
    batching: { calibrate: 'off' },
    models: { root: SHIPPED_MODELS, trial: false },
  });
  await gateway.ready();
  pids = gateway.lanePids();
  expect(pids.filter(isThere)).toHaveLength(2);
  // As in a run that never ends: it reads nothing, nor would it notice that the gateway is gone.
  process.kill(pids[0]!, 'SIGSTOP');
  gateway.abandon();
  await until('both are gone', () => !pids.some(isThere));
  expect(gateway.lanePids()).toEqual([]);
  await gateway.close();
});

const onLinux = process.platform === 'linux' ? it : it.skip;

onLinux('a stop leaves no process of a trial that hangs inside the runtime', async () => {
  const bytes = await readFile(path.join(FIXTURES, 'slow.onnx'));
  const at = bytes.indexOf(TRIPS!);
  expect(at).toBeGreaterThan(0);
  bytes.set(FOR_EVER!, at);
  await mkdir(path.join(folder.path, 'models/endless'), { recursive: true });
  await writeFile(path.join(folder.path, 'models/endless/model.onnx'), bytes);
  const { process: gateway, exit } = await serve({
    models: { root: path.join(folder.path, 'models'), cacheDir: path.join(folder.path, 'cache') },
  });
  await until('the trial is there', () => (pids = childrenOf(gateway.pid)).length === 1);
  const cpuOf = (): number => Number(readFileSync(`/proc/${pids[0]!}/stat`, 'utf8').split(' ')[13]);
  const before = cpuOf();
  // A start takes a third of a second; this is a run.
  await until('it hangs', () => cpuOf() > before + 150, 30_000);
  gateway.kill('SIGTERM');
  expect(await exit).toEqual({ code: 0, signal: null });
  await until('nothing is left', () => !pids.some(isThere));
});

onLinux('a second signal leaves no lane that hangs', async () => {
  const it = await serve({
    lanes: { count: 2, isolation: 'process' },
    models: { root: SHIPPED_MODELS, load: ['fraud_detector'], trial: false },
  });
  await printed(it, /listens on (http:\S+)/);
  pids = childrenOf(it.process.pid);
  expect(pids).toHaveLength(2);
  process.kill(pids[0]!, 'SIGSTOP');
  it.process.kill('SIGTERM');
  await printed(it, /SIGTERM: finishing/);
  it.process.kill('SIGTERM');
  await it.exit;
  await until('nothing is left', () => !pids.some(isThere));
});
