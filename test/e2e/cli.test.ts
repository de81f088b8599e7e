import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import { HttpClient } from '../support/http-client.js';
import { SHIPPED_MODELS, tempModelRoot, until, type TempFolder } from '../support/start-gateway.js';
import { MAIN, printed, startChild, type Child, type Exit } from './serve-child.js';

let root: TempFolder;
let child: Child | undefined;

beforeAll(async () => {
  root = await tempModelRoot();
});
afterAll(() => root.remove());
afterEach(async () => {
  await child?.end();
  child = undefined;
});

const run = async (
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Exit & { text: string }> => {
  const its = (child = startChild(process.execPath, [MAIN, ...args], { env }));
  const exit = await its.exit;
  return { ...exit, text: its.stdout() + its.stderr() };
};

const configFile = async (config: object): Promise<string> => {
  const file = path.join(root.path, 'config.yaml');
  await writeFile(file, stringify(config));
  return file;
};

describe('carpool check', () => {
  it('is 0 for what is shipped', async () => {
    const { code, text } = await run(['check']);
    expect(text).toMatch(/OK +config +config\.yaml/);
    expect(text).toMatch(/OK +fraud_detector .*float_input float32\[N,30\]/);
    expect(text).toMatch(/OK +spam .*\[ham, spam\]/);
    expect(code).toBe(0);
  });

  it('is 1 for a model that can not be loaded, and names file and reason', async () => {
    const config = await configFile({ models: { root: '.', load: ['fraud_detector', 'nowhere'] } });
    const { code, text } = await run(['check', '--config', config]);
    expect(text).toMatch(/OK +fraud_detector/);
    expect(text).toMatch(/FAILED +nowhere +MODEL_LOAD_FAILED: .*"nowhere"/);
    expect(code).toBe(1);
  });

  it.each([
    ['a misspelt key', { batching: { maxBatsh: 8 } }, /batching\.maxBatsh.*\n?.*maxBatch/],
    ['a wrong value', { server: { port: 'http' } }, /server\.port.*"http"/],
  ])('is 1 for %s, and says where', async (_what, config, message) => {
    const { code, text } = await run(['check', '--config', await configFile(config)]);
    expect(text).toMatch(message);
    expect(text).not.toMatch(/\n\s+at /);
    expect(code).toBe(1);
  });

  it('is 1 for a config file that is not there, and 2 for an option that there is not', async () => {
    expect(await run(['check', '--config', 'nowhere.yaml'])).toMatchObject({ code: 1 });
    expect(await run(['check', '--force'])).toMatchObject({ code: 2 });
  });
});

/** The shipped config.yaml has a fixed port for gRPC. */
const FREE_GRPC = ['--set', 'grpc.port=0'];

describe('carpool serve', () => {
  it('prints where it listens, the models, the lanes and a curl line that works', async () => {
    child = startChild(process.execPath, [MAIN, 'serve', ...FREE_GRPC, '--set', 'lanes.count=2'], {
      env: { CARPOOL_PORT: '0', CARPOOL_HOST: '127.0.0.1', CARPOOL_LOG_LEVEL: 'warn' },
    });
    const url = await printed(child, /listens on (http:\/\/127\.0\.0\.1:[1-9]\d*)\n/);
    const line = await printed(child, /try +(curl .*)\n/);
    expect(child.stderr()).toMatch(/fraud_detector .*float_input float32\[N,30\]/);
    expect(child.stderr()).toMatch(/spam .*input_ids int64\[batch,sequence\]/);
    expect(child.stderr()).toMatch(/grpc +127\.0\.0\.1:[1-9]\d*\n/);
    expect(child.stderr()).toMatch(/lanes +2 thread lanes × 1 intra-op thread\n/);
    const [, at, body] = /^curl (\S+) -H 'content-type: application\/json' -d '(.*)'$/.exec(line) ?? [];
    expect(at).toBe(`${url}/predict`);
    const client = new HttpClient(url);
    expect((await client.post('/predict', body)).body.predictions).toMatchObject([{ label: 'spam' }]);
    client.close();
  });

  it('is 1 for a port that is taken, and says what to do', async () => {
    child = startChild(process.execPath, [MAIN, 'serve', ...FREE_GRPC], { env: { CARPOOL_PORT: '0' } });
    const port = await printed(child, /listens on http:\S+:(\d+)/);
    const first = child;
    const { code, text } = await run(['serve'], { CARPOOL_PORT: port });
    await first.end();
    expect(text).toContain(`port ${port} on 127.0.0.1 is already in use; choose another`);
    expect(code).toBe(1);
  });

  it('logs JSON lines and nothing else to a stdout that is no terminal', async () => {
    child = startChild(process.execPath, [MAIN, 'serve', ...FREE_GRPC], { env: { CARPOOL_PORT: '0' } });
    const client = new HttpClient(await printed(child, /listens on (http:\S+)/));
    await client.send({
      method: 'POST',
      path: '/predict',
      headers: { 'x-request-id': 'mine-1' },
      body: '{}',
    });
    await until('the access line', () => child!.stdout().includes('mine-1'));
    client.close();
    const lines = child.stdout().trim().split('\n');
    const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(parsed.find(({ requestId }) => requestId === 'mine-1')).toMatchObject({
      route: '/predict',
      status: 400,
      code: 'INVALID_REQUEST',
    });
  });
});

describe('npm start', () => {
  it('takes options, and passes a signal on', async () => {
    const config = await configFile({ models: { root: SHIPPED_MODELS, load: ['fraud_detector'] } });
    child = startChild('npm', ['start', '--', '--config', config, '--set', 'server.port=0'], {
      isGroup: true,
    });
    const client = new HttpClient(await printed(child, /listens on (http:\S+)/));
    expect((await client.get('/healthz')).status).toBe(200);
    client.close();
    child.process.kill('SIGTERM');
    // How npm itself ends is its own matter.
    await child.exit;
    expect(child.stderr()).toContain('SIGTERM: finishing the work in flight');
    expect(child.stdout()).toContain('"outcome":"drained"');
  });
});
