import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createLogger } from '../../src/telemetry/logger.js';
import type { Reply } from '../support/http-client.js';
import { startGateway, type Running } from '../support/start-gateway.js';

const lines: Record<string, unknown>[] = [];
let running: Running;
beforeAll(async () => {
  const logger = createLogger(
    { level: 'warn', format: 'json' },
    { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  running = await startGateway({ models: { load: ['spam'] } }, { logger });
});
afterAll(() => running.close());

const put = (body: unknown, headers = {}): Promise<Reply> =>
  running.client.send({ method: 'PUT', path: '/debug/log-level', body, headers });

it('is shown, changed and taken back while it runs, each with a line', async () => {
  const { client } = running;
  expect((await client.get('/debug/log-level')).text).toBe('{"level":"warn","configured":"warn"}');
  const changed = await put({ level: 'info', forMs: 600_000 }, { 'x-request-id': 'from-a-test' });
  expect(changed.status).toBe(200);
  const { returnsInMs, ...state } = JSON.parse(changed.text) as { returnsInMs: number };
  expect(state).toEqual({ level: 'info', configured: 'warn' });
  expect(returnsInMs).toBeGreaterThan(590_000);
  const reply = await client.post('/predict', { texts: ['a'] });
  expect(reply.status).toBe(200);
  await put({ level: 'warn' });
  expect(lines.filter(({ audit }) => audit === 'log-level')).toMatchObject([
    { from: 'warn', to: 'info', by: 'api', forMs: 600_000, requestId: 'from-a-test', caller: '127.0.0.1' },
    { from: 'info', to: 'warn', by: 'api' },
  ]);
  expect(lines.some(({ route }) => route === '/predict')).toBe(true);
});

it.each([
  [{ level: 'loud' }, /level: expected one of silent, fatal.*got "loud"/],
  [{}, /level: expected a non-empty string/],
  [{ level: 'debug', forMs: 0 }, /forMs: expected an integer above 0/],
  [{ level: 'debug', forMs: 1e9 }, /forMs: expected milliseconds up to 86400000/],
  [{ level: 'debug', minutes: 1 }, /unknown key/],
])('%j is refused', async (body, message) => {
  const { status, body: answer } = await put(body);
  expect([status, answer.error?.code]).toEqual([400, 'INVALID_REQUEST']);
  expect(answer.error?.message).toMatch(message);
});

it('is guarded as the admin calls are', async () => {
  const { status } = await put({ level: 'debug' }, { origin: 'https://evil.example' });
  expect(status).toBe(403);
  const seen = await running.client.send({
    method: 'GET',
    path: '/debug/log-level',
    headers: { 'sec-fetch-site': 'cross-site' },
  });
  expect(seen.status).toBe(403);
});
