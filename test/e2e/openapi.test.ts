import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cp } from 'node:fs/promises';
import path from 'node:path';
import type { z } from 'zod';
import type { Example, Operation } from '../../src/protocol/openapi/operation.js';
import { OPERATIONS } from '../../src/protocol/openapi/operations/index.js';
import { REFERENCE_MODELS } from '../reference/golden.js';
import type { Reply } from '../support/http-client.js';
import {
  SHIPPED_MODELS,
  startGateway,
  tempFolder,
  type Running,
  type TempFolder,
} from '../support/start-gateway.js';

/** Names in the examples -> a tiny model of that task. */
const MODELS = {
  embedder: 'st-mean',
  reranker: 'bert-rerank',
  zero_shot: 'deberta-nli',
  entities: 'bert-ner',
  images: 'image-vit',
};

let root: TempFolder;
let running: Running;
beforeAll(async () => {
  root = await tempFolder();
  for (const model of ['spam', 'fraud_detector'])
    await cp(path.join(SHIPPED_MODELS, model), path.join(root.path, model), { recursive: true });
  for (const [name, model] of Object.entries(MODELS))
    await cp(path.join(REFERENCE_MODELS, model), path.join(root.path, name), { recursive: true });
  running = await startGateway({
    models: { root: root.path, default: 'spam' },
    batching: { batchInvariance: 'off' },
  });
  expect(running.report.failed).toEqual([]);
});
afterAll(async () => {
  await running.close();
  await root.remove();
});

const pathOf = (template: string, { params = {} }: Example): string =>
  template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));

const send = (operation: Operation, template: string, example: Example, headers = {}): Promise<Reply> =>
  running.client.send({
    method: operation.method.toUpperCase(),
    path: pathOf(template, example),
    headers,
    ...(example.body === undefined ? {} : { body: example.body }),
  });

/** The schema takes the answer, and knows all that is in it: what it does not know it leaves out. */
const expectToFit = (schema: z.ZodType, text: string): void => {
  const answer: unknown = JSON.parse(text);
  const { success, data, error } = schema.safeParse(answer);
  expect([error?.message, success]).toEqual([undefined, true]);
  expect(data).toEqual(answer);
};

describe('the examples of the document', () => {
  const all = OPERATIONS.flatMap((operation) =>
    operation.paths.flatMap((template) =>
      operation.examples.map((example) => ({ operation, template, example })),
    ),
  );
  it.each(
    all.map((each) => [`${each.operation.method} ${each.template} (${each.example.name})`, each] as const),
  )('%s', async (_, { operation, template, example }) => {
    const reply = await send(operation, template, example, { 'x-server-timing': '1' });
    expect([reply.status, reply.status === 200 ? '' : reply.text]).toEqual([200, '']);
    if (operation.body !== undefined && example.body !== undefined) {
      const { error } = operation.body.schema.safeParse(example.body);
      expect(error?.message).toBeUndefined();
    }
    if (operation.answer !== undefined) expectToFit(operation.answer.schema, reply.text);
    const [type = ''] = (reply.headers['content-type'] ?? '').split(';');
    const types = [
      ...(operation.answer ? ['application/json'] : []),
      ...Object.keys(operation.otherAnswers ?? {}),
    ];
    expect(types).toContain(type);
    expect(reply.headers['x-request-id']).toBeDefined();
    if (operation.runs === true) expect(reply.headers['server-timing']).toBeDefined();
    if (operation.tag === 'text-embeddings-inference')
      for (const name of operation.responseHeaders ?? [])
        expect(reply.headers).toHaveProperty(name.toLowerCase());
  });

  it('as lines of NDJSON', async () => {
    const [operation] = OPERATIONS;
    const line = operation?.otherAnswers?.['application/x-ndjson'];
    if (operation === undefined || line === undefined || typeof line === 'string')
      throw new Error('no lines');
    const own = operation.examples.filter(({ body }) => body !== undefined && 'texts' in body);
    expect(own.length).toBeGreaterThan(3);
    for (const example of own) {
      const reply = await send(operation, '/predict', example, { accept: 'application/x-ndjson' });
      const lines = reply.text.trimEnd().split('\n');
      expect([reply.status, lines.length > 0]).toEqual([200, true]);
      for (const each of lines) expectToFit(line.schema, each);
    }
  });

  it('broken, get the errors of their protocol', async () => {
    const { errors, otherErrors } = OPERATIONS[0]!;
    for (const [body, status, shape] of [
      [{ texts: 7 }, 400, errors],
      [{ inputs: 7 }, 422, otherErrors],
    ] as const) {
      const reply = await running.client.post('/predict', body);
      expect([reply.status, shape === undefined]).toEqual([status, false]);
      expectToFit(shape!.body.schema, reply.text);
    }
    for (const operation of OPERATIONS) {
      if (operation.body === undefined || operation.tag === 'Admin') continue;
      for (const template of operation.paths) {
        const example = {
          ...operation.examples[0],
          name: 'broken',
          params: { model: 'spam', version: '1', task: 'ner' },
        };
        const reply = await running.client.send({
          method: 'POST',
          path: pathOf(template, example),
          body: '[1',
        });
        expect([template, reply.status]).toEqual([template, operation.tag.startsWith('text-') ? 422 : 400]);
        expectToFit(operation.errors.body.schema, reply.text);
      }
    }
  });
});

describe('/openapi.json', () => {
  it('is sent once, then 304', async () => {
    const first = await running.client.get('/openapi.json');
    expect(first.status).toBe(200);
    expect(JSON.parse(first.text)).toMatchObject({ servers: [{ url: '.' }] });
    const { etag } = first.headers;
    const again = await running.client.send({ method: 'GET', path: '/openapi.json', headers: { 'if-none-match': etag } }); // prettier-ignore
    expect([again.status, again.text, again.headers.etag]).toEqual([304, '', etag]);
  });
});

describe('/docs', () => {
  it('is a page of links to its own files, all of which are there', async () => {
    for (const [at, base] of [
      ['/docs', 'docs/'],
      ['/docs/', ''],
      ['/docs?a=/', 'docs/'],
    ] as const) {
      const page = await running.client.get(at);
      expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
      expect(page.headers['content-security-policy']).toContain("script-src 'self';");
      expect(page.text).not.toMatch(/<script>|<style|https?:|onload/);
      const links = [...page.text.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, link = '']) => link);
      expect(links).toEqual(['favicon-32x32.png', 'swagger-ui.css', 'swagger-ui-bundle.js', 'init.js'].map((file) => base + file)); // prettier-ignore
    }
  });

  it.each([
    ['swagger-ui.css', 'text/css; charset=utf-8', 100_000],
    ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8', 1_000_000],
    ['favicon-32x32.png', 'image/png', 100],
    ['init.js', 'text/javascript; charset=utf-8', 100],
  ])('has %s', async (file, type, least) => {
    const reply = await running.client.get(`/docs/${file}`);
    expect([reply.status, reply.headers['content-type']]).toEqual([200, type]);
    expect(Number(reply.headers['content-length'])).toBeGreaterThan(least);
    const { etag } = reply.headers;
    const again = await running.client.send({ method: 'GET', path: `/docs/${file}`, headers: { 'if-none-match': `"x", ${etag}` } }); // prettier-ignore
    expect(again.status).toBe(304);
    const packed = await running.client.send({ method: 'GET', path: `/docs/${file}`, headers: { 'accept-encoding': 'gzip' } }); // prettier-ignore
    expect(packed.headers['content-encoding']).toBe(least > 8192 ? 'gzip' : undefined);
  });

  it.each([
    'package.json',
    'index.html',
    '../package.json',
    '..%2fpackage.json',
    '%2e%2e%2fajv%2fpackage.json',
    '..%5cx',
    'constructor',
    'init.js%00',
    '/etc/passwd',
  ])('has no %s', async (file) => {
    const reply = await running.client.get(`/docs/${file}`);
    expect([reply.status, reply.body.error?.code]).toEqual([404, 'NOT_FOUND']);
  });
});
