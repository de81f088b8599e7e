import { afterEach, describe, expect, it } from '@jest/globals';
import { Client, credentials, type ClientReadableStream } from '@grpc/grpc-js';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openCredentials } from '../../src/protocol/grpc/credentials.js';
import { loadServices } from '../../src/protocol/grpc/protos.js';
import { silentLogger } from '../../src/telemetry/logger.js';
import { REPO_ROOT, startGateway, tempFolder, until, type Running } from '../support/start-gateway.js';

const pem = (name: string): string => path.join(REPO_ROOT, 'test/fixtures/tls', name);
const { health, inference } = loadServices();

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0)) await thing.close();
});

const start = async (grpc: object): Promise<Running> => {
  const running = await startGateway({
    grpc: { enabled: true, port: 0, ...grpc },
    models: { load: ['fraud_detector'] },
  });
  open.push(running);
  return running;
};

const clientOf = ({ grpc }: Running, channel = credentials.createInsecure()): Client => {
  const client = new Client(`${grpc?.host ?? ''}:${grpc?.port ?? 0}`, channel);
  open.unshift(client);
  return client;
};

interface Status {
  readonly status: string;
}

const watch = (client: Client, service: string): { seen: string[]; call: ClientReadableStream<Status> } => {
  const { path: name, requestSerialize, responseDeserialize } = health['Watch']!;
  // As the .proto has it.
  const call = client.makeServerStreamRequest(name, requestSerialize, responseDeserialize as () => Status, {
    service,
  });
  const seen: string[] = [];
  call.on('data', ({ status }: Status) => seen.push(status)).on('error', () => undefined);
  return { seen, call };
};

const isLive = (client: Client): Promise<unknown> => {
  const { path: name, requestSerialize, responseDeserialize } = inference['ServerLive']!;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      name,
      requestSerialize,
      responseDeserialize,
      {},
      { deadline: Date.now() + 5000 },
      (error, value) => (error ? reject(error) : resolve(value)),
    );
  });
};

describe('Health.Watch', () => {
  it('tells the status, each change, and the end', async () => {
    const running = await start({});
    const client = clientOf(running);
    const whole = watch(client, '');
    const unknown = watch(client, 'no.such.Service');
    await until('both are told', () => whole.seen.length === 1 && unknown.seen.length === 1);
    expect([whole.seen, unknown.seen]).toEqual([['SERVING'], ['SERVICE_UNKNOWN']]);
    await running.client.delete('/v1/models/fraud_detector');
    await until('the change is told', () => whole.seen.length === 2);
    expect(await running.client.metric('http_request_in_flight')).toBe(1);
    const ended = new Promise((resolve) => whole.call.once('end', resolve));
    expect(await running.gateway.close()).toBe('drained');
    await ended;
    expect([whole.seen, unknown.seen]).toEqual([['SERVING', 'NOT_SERVING'], ['SERVICE_UNKNOWN']]);
  });
});

describe('reflection', () => {
  const list = async (running: Running): Promise<string> => {
    const client = clientOf(running);
    // ServerReflectionRequest{list_services: "*"}, and what comes back, as bytes: the client library has no such client.
    const call = client.makeBidiStreamRequest(
      '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      () => Buffer.from([0x3a, 1, 0x2a]),
      (bytes) => bytes.toString('latin1'),
    );
    call.write({});
    call.end();
    let answer = '';
    for await (const text of call) answer += String(text);
    return answer;
  };

  it('names the services where it is on', async () => {
    const answer = await list(await start({ reflection: true }));
    expect(answer).toContain('inference.GRPCInferenceService');
    expect(answer).toContain('grpc.health.v1.Health');
  });

  it('is off by default', async () => {
    await expect(list(await start({}))).rejects.toMatchObject({ code: 12 });
  });
});

describe('TLS', () => {
  const files = {
    ...{ certFile: pem('first.pem'), keyFile: pem('first.key'), caFile: pem('ca.pem') },
    ...{ requireClientCert: true, minVersion: 'TLSv1.2' as const },
  };

  it('is answered, and a client without a certificate is not where one is asked for', async () => {
    const running = await start({ tls: files });
    const [ca, key, cert] = await Promise.all(
      ['ca.pem', 'client.key', 'client.pem'].map((name) => readFile(pem(name))),
    );
    expect(await isLive(clientOf(running, credentials.createSsl(ca, key, cert)))).toEqual({ live: true });
    await expect(isLive(clientOf(running, credentials.createSsl(ca)))).rejects.toMatchObject({ code: 14 });
    await expect(isLive(clientOf(running))).rejects.toMatchObject({ code: 14 });
  });

  it('a new certificate is taken, a broken one is not', async () => {
    const folder = await tempFolder();
    const [certFile, keyFile] = [path.join(folder.path, 'a.pem'), path.join(folder.path, 'a.key')];
    await copyFile(files.certFile, certFile);
    await copyFile(files.keyFile, keyFile);
    const opened = openCredentials(
      { ...files, certFile, keyFile },
      { logger: silentLogger(), headersTimeoutMs: 10_000, tlsPollMs: 20 },
    );
    open.push(opened, { close: () => folder.remove() });
    const told: unknown[] = [];
    opened.credentials._addWatcher((context) => told.push(context?.cert));
    await writeFile(certFile, 'nothing');
    await copyFile(pem('second.key'), keyFile);
    await copyFile(pem('second.pem'), certFile);
    await until('it is replaced', () => told.length > 0);
    expect(told.map(String)).toEqual(
      told.map(() => String(opened.credentials._getSecureContextOptions()?.cert)),
    );
    expect(String(told[0])).toBe(await readFile(pem('second.pem'), 'utf8'));
  });
});
