import { afterEach, describe, expect, it } from '@jest/globals';
import express from 'express';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createGateway, type Gateway } from '../../src/index.js';
import { HttpClient } from '../support/http-client.js';
import { SHIPPED_MODELS, startGateway, until } from '../support/start-gateway.js';
import { FRAUD_CASES, SPAM_CASES } from './golden.js';
import { startChild } from './serve-child.js';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const gatewayOf = (...load: string[]): Gateway => {
  const gateway = createGateway({
    log: { level: 'silent' },
    lanes: { count: 1 },
    models: { root: SHIPPED_MODELS, load },
  });
  closers.push(() => gateway.close());
  return gateway;
};

const listen = async (app: RequestListener): Promise<HttpClient> => {
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new HttpClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  closers.push(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  return client;
};

const { text, label } = SPAM_CASES[0]!;
const { input, label: fraudLabel } = FRAUD_CASES[0]!;

describe('the router in an Express app of somebody', () => {
  it.each([
    ['behind express.json()', true],
    ['alone', false],
  ])('answers under a prefix, %s', async (_how, isParsed) => {
    const gateway = gatewayOf('spam', 'fraud_detector');
    await gateway.ready();
    const app = express();
    if (isParsed) app.use(express.json());
    app.use('/ai', gateway.router);
    app.use((_req, res) => void res.status(404).send('the app itself'));
    const client = await listen(app);

    const [predicted, inferred, models, missed, broken] = await Promise.all([
      client.post('/ai/predict', { texts: [text, 'ok'] }),
      client.post('/ai/v1/models/fraud_detector/infer', { inputs: [input] }),
      client.get('/ai/v1/models'),
      client.get('/ai/nothing'),
      client.post('/ai/predict', { texts: [] }),
    ]);
    expect(predicted.body.predictions).toMatchObject([{ label }, { label: 'ham' }]);
    expect(inferred.body.predictions).toEqual([fraudLabel]);
    expect(models.text).toContain('"fraud_detector"');
    expect([missed.status, missed.text]).toEqual([404, 'the app itself']);
    expect([broken.status, broken.body.error?.code]).toEqual([400, 'INVALID_REQUEST']);
    expect(broken.headers['x-request-id']).toBe(broken.body.error?.requestId);
  });

  it('is not ready before ready(), serves after it, and drains with close()', async () => {
    const gateway = gatewayOf('spam');
    const client = await listen(express().use(gateway.router));
    const early = await client.get('/readyz');
    expect([early.status, early.body.status]).toEqual([503, 'new']);
    expect((await client.get('/healthz')).status).toBe(200);
    const refused = await client.post('/predict', { texts: [text] });
    expect([refused.status, refused.body.error?.code]).toEqual([503, 'MODEL_UNAVAILABLE']);
    expect(refused.headers['retry-after']).toBe('1');

    const ready = gateway.ready();
    const starting = await client.get('/readyz');
    expect([starting.status, starting.body.status]).toEqual([503, 'starting']);
    await ready;
    expect((await client.get('/readyz')).body).toEqual({ status: 'ok', models: { spam: 'ready' } });
    // Warm: the first one is answered like any other.
    expect((await client.post('/predict', { texts: [text] })).body.predictions).toMatchObject([{ label }]);

    // Ten times 120 words each: more than the one lane does at once.
    const texts = Array.from({ length: 10 }, (_, i) => `${'win a prize '.repeat(40)} ${i}`);
    const accepted = Array.from({ length: 6 }, () => client.post('/predict', { texts }));
    const rows = 'carpool_admitted_rows_total{model="spam"}';
    await until('all is in the house', async () => (await client.metric(rows)) === 61);
    expect(await client.metric('carpool_queue_rows{model="spam"}')).toBeGreaterThan(0);
    expect(await gateway.close()).toBe('drained');
    expect((await Promise.all(accepted)).map(({ status }) => status)).toEqual(accepted.map(() => 200));
    const late = await client.post('/predict', { texts: [text] });
    expect([late.status, late.body.error?.code]).toEqual([503, 'DRAINING']);
    expect((await client.get('/readyz')).body.status).toBe('closed');
  });
});

describe('two gateways in one process', () => {
  it('serve their own models, and count their own requests', async () => {
    const texts = await startGateway({ models: { load: ['spam'] } });
    const rows = await startGateway({
      lanes: { isolation: 'process' },
      models: { load: ['fraud_detector'] },
    });
    closers.push(() => texts.close());
    const answers = await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        if (i % 2 === 0) return (await texts.client.post('/predict', { texts: [text] })).body.predictions;
        return (await rows.client.infer('fraud_detector', [input])).body.predictions;
      }),
    );
    expect(answers).toEqual(
      answers.map((_, i) => (i % 2 === 0 ? [expect.objectContaining({ label })] : [fraudLabel])),
    );
    expect((await texts.client.infer('fraud_detector', [input])).status).toBe(404);
    const series = 'http_request_total{method="POST",route="/v1/models/:m/infer",status="200"}';
    expect([await texts.client.metric(series), await rows.client.metric(series)]).toEqual([0, 20]);
    // One that ends takes nothing from the other.
    await rows.close();
    expect((await texts.client.post('/predict', { texts: [text] })).status).toBe(200);
  });
});

describe('close()', () => {
  const script = fileURLToPath(new URL('./closing-script.js', import.meta.url));

  it.each(['thread', 'process'])(
    'leaves nothing behind: with %s lanes the process ends by itself',
    async (isolation) => {
      const child = startChild(process.execPath, [script, isolation]);
      closers.push(() => child.end());
      expect(await child.exit).toEqual({ code: 0, signal: null });
      expect(child.stderr()).toBe('');
      expect(JSON.parse(child.stdout())).toEqual({ status: 200, outcome: 'drained', left: [] });
    },
  );

  it('is fine before anything has begun, and twice', async () => {
    const gateway = gatewayOf('spam');
    expect(await gateway.close()).toBe('drained');
    expect(await gateway.close()).toBe('drained');
  });
});
