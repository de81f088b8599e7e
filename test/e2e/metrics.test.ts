import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { samplesOf } from '../telemetry/samples.js';
import { startGateway, type Running } from '../support/start-gateway.js';

let running: Running;
beforeAll(async () => {
  running = await startGateway({ models: { load: ['spam', 'no-such'] }, lanes: { isolation: 'process' } });
});
afterAll(() => running.close());

it('the gauges of what runs and what it serves are those of this gateway', async () => {
  const samples = samplesOf((await running.client.get('/metrics')).text);
  expect(samples.get('carpool_ready')).toBe(1);
  expect([
    samples.get('carpool_models{state="ready"}'),
    samples.get('carpool_models{state="failed"}'),
  ]).toEqual([1, 1]);
  const info = [...samples.keys()].filter((series) => series.startsWith('carpool_model_info{'));
  expect(info).toEqual([
    'carpool_model_info{model="spam",version="1",task="text-classification",joining="any"}',
  ]);
  const loadedAt = samples.get('carpool_model_loaded_timestamp_seconds{model="spam"}') ?? 0;
  expect(Math.abs(loadedAt - Date.now() / 1000)).toBeLessThan(300);
  expect(samples.get('carpool_trace_spans_total{result="exported"}')).toBeUndefined();
});

it('memory of process lanes is that of their processes', async () => {
  const samples = samplesOf((await running.client.get('/metrics')).text);
  // Two of them, each with Node and a model.
  expect(samples.get('carpool_lanes_resident_memory_bytes')).toBeGreaterThan(60e6);
  expect(samples.get('process_open_fds')).toBeGreaterThan(5);
});

it('OpenMetrics comes to who asks for it', async () => {
  const ask = (accept: string) =>
    running.client.send({ method: 'GET', path: '/metrics', headers: { accept } });
  const open = await ask('application/openmetrics-text;version=1.0.0,text/plain;q=0.5');
  expect(open.headers['content-type']).toContain('application/openmetrics-text');
  expect(open.text.endsWith('# EOF\n')).toBe(true);
  const plain = await ask('text/plain');
  expect([plain.headers['content-type'], plain.headers['vary']]).toEqual([
    'text/plain; version=0.0.4; charset=utf-8',
    'Accept',
  ]);
});
