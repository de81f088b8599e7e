import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ConfigInput } from '../../src/config/schema.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { parseTraceparent } from '../../src/telemetry/tracing/trace-context.js';
import { GrpcClient } from '../support/grpc-client.js';
import { startGateway, until, type Running } from '../support/start-gateway.js';
import { TraceCollector, type CollectedSpan } from '../support/trace-collector.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

let collector: TraceCollector;
let lines: Record<string, unknown>[];
beforeEach(async () => {
  collector = await TraceCollector.start();
  lines = [];
});
afterEach(() => collector.close());

const logger = () =>
  createLogger(
    { level: 'info', format: 'json' },
    { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) },
  );

/** Runs a gateway that sends its traces, and closes it: then all have come. */
const traced = async (
  work: (running: Running) => Promise<void>,
  { tracing, ...config }: ConfigInput = {},
): Promise<readonly CollectedSpan[]> => {
  const running = await startGateway(
    { ...config, tracing: { otlpUrl: collector.url, sampleRatio: 1, ...tracing } },
    { logger: logger() },
  );
  try {
    await work(running);
  } finally {
    await running.close();
  }
  return collector.spans;
};

const predict = (running: Running, texts: readonly string[], headers: Record<string, string> = {}) =>
  running.client.send({ method: 'POST', path: '/predict', body: { texts }, headers });

const one = (spans: readonly CollectedSpan[], name: string): CollectedSpan => {
  const [span, another] = spans.filter((each) => each.name === name);
  if (span === undefined || another !== undefined)
    throw new Error(`expected one span '${name}', got ${spans.map((each) => each.name).join(', ')}`);
  return span;
};

describe('traces', () => {
  it('a request is a span below its caller, linked to its batch, and the batch to it', async () => {
    const before = Date.now();
    const spans = await traced(async (running) => {
      const reply = await predict(running, ['win a free prize', 'hello'], {
        traceparent: `00-${TRACE}-${SPAN}-01`,
        tracestate: 'vendor=value',
        'x-request-id': 'req-1',
      });
      const answered = parseTraceparent(reply.headers['traceparent']);
      expect([reply.status, answered?.traceId, answered?.sampled]).toEqual([200, TRACE, true]);
      expect(answered?.spanId).not.toBe(SPAN);
      await until('logged', () => lines.some(({ msg }) => msg === 'request'));
      expect(lines.find(({ msg }) => msg === 'request')).toMatchObject({
        trace_id: TRACE,
        span_id: answered?.spanId,
      });
    });

    const request = one(spans, 'POST /predict');
    expect(request).toMatchObject({ traceId: TRACE, parentSpanId: SPAN, traceState: 'vendor=value' });
    expect([request.kind, request.status]).toEqual([2, 0]);
    expect(request.resource).toMatchObject({ 'service.name': 'carpool' });
    const tokens = Number(request.attributes['carpool.tokens']);
    expect(request.attributes).toMatchObject({
      'http.request.method': 'POST',
      'http.route': '/predict',
      'http.response.status_code': 200,
      'url.path': '/predict',
      'url.scheme': 'http',
      'carpool.protocol': 'http',
      'carpool.request_id': 'req-1',
      'carpool.model': 'spam',
      'carpool.rows': 2,
    });
    expect(tokens).toBeGreaterThan(4);
    expect(request.events.map(({ name }) => name)).toEqual([
      'body read',
      'parsed',
      'encoded',
      'dispatched',
      'ran',
    ]);
    const times = [request.startMs, ...request.events.map(({ atMs }) => atMs), request.endMs];
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(request.startMs).toBeGreaterThan(before - 1000);
    expect(request.endMs).toBeLessThan(Date.now() + 1000);

    const batches = spans.filter(({ name }) => name === 'batch spam');
    expect(request.links.map(({ spanId }) => spanId).sort()).toEqual(
      batches.map(({ spanId }) => spanId).sort(),
    );
    for (const batch of batches) {
      expect([batch.kind, batch.parentSpanId, batch.status]).toEqual([1, undefined, 0]);
      expect(batch.links).toEqual([{ traceId: TRACE, spanId: request.spanId }]);
      expect(batch.attributes['carpool.batch.lane_ms']).toBeGreaterThan(0);
      expect(batch.attributes['carpool.batch.predicted_ms']).toBeGreaterThan(0);
      expect(typeof batch.attributes['carpool.batch.reason']).toBe('string');
    }
    const sum = (key: string): number =>
      batches.reduce((total, { attributes }) => total + Number(attributes[key]), 0);
    expect([sum('carpool.batch.rows'), sum('carpool.batch.tokens')]).toEqual([2, tokens]);
    expect(sum('carpool.batch.padded_tokens')).toBeGreaterThanOrEqual(tokens);
  });

  it('requests that share a batch are all linked to it, the twins of an equal input too', async () => {
    const spans = await traced(async (running) => {
      const texts = ['the same', 'the same', 'another one', 'the same'];
      const replies = await Promise.all(texts.map((text) => predict(running, [text])));
      expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    });
    const requests = spans.filter(({ name }) => name === 'POST /predict');
    const batches = spans.filter(({ name }) => name === 'batch spam');
    expect(new Set(requests.map(({ traceId }) => traceId)).size).toBe(4);
    const pairs = (of: readonly CollectedSpan[], turned: boolean): string[] =>
      of
        .flatMap(({ spanId, links }) =>
          links.map((link) => (turned ? `${link.spanId} ${spanId}` : `${spanId} ${link.spanId}`)),
        )
        .sort();
    expect(requests.map(({ links }) => links.length)).toEqual([1, 1, 1, 1]);
    expect(pairs(requests, false)).toEqual(pairs(batches, true));
  });

  it('an error of ours marks its span and its log line, one of the caller does not', async () => {
    const spans = await traced(async (running) => {
      const late = await running.client.post('/predict', { texts: ['late'], timeoutMs: 0.001 });
      const bad = await running.client.post('/predict', { nonsense: true });
      const lost = await running.client.get('/nowhere');
      expect([late.status, bad.status, lost.status]).toEqual([504, 400, 404]);
      expect(parseTraceparent(lost.headers['traceparent'])).toBeDefined();
      const warned = lines.find(({ code, msg }) => code === 'DEADLINE_EXCEEDED' && msg !== 'request');
      expect(warned?.['trace_id']).toBe(parseTraceparent(late.headers['traceparent'])?.traceId);
    });
    const byStatus = new Map(spans.map((span) => [span.attributes['http.response.status_code'], span]));
    expect(byStatus.get(504)).toMatchObject({
      status: 2,
      attributes: { 'error.type': 'DEADLINE_EXCEEDED', 'carpool.code': 'DEADLINE_EXCEEDED' },
    });
    expect(byStatus.get(400)).toMatchObject({
      status: 0,
      attributes: { 'carpool.code': 'INVALID_REQUEST' },
    });
    expect(byStatus.get(400)?.attributes).not.toHaveProperty('error.type');
    expect(byStatus.get(404)).toMatchObject({ name: 'GET', attributes: { 'carpool.code': 'NOT_FOUND' } });
  });

  it('gRPC: a span by its conventions, its parent from the metadata, its place in the trailer', async () => {
    const spans = await traced(
      async ({ grpc }) => {
        const client = new GrpcClient(grpc!);
        const metadata = { traceparent: `00-${TRACE}-${SPAN}-01` };
        const good = await client.ask('ModelMetadata', { name: 'spam' }, { metadata });
        const bad = await client.ask('ModelMetadata', { name: 'spma' }, { metadata });
        expect([good.code, bad.code]).toEqual([0, 5]);
        client.close();
      },
      { grpc: { enabled: true, port: 0 } },
    );
    expect(spans.map(({ name }) => name)).toEqual([
      'inference.GRPCInferenceService/ModelMetadata',
      'inference.GRPCInferenceService/ModelMetadata',
    ]);
    expect(spans.map(({ traceId, parentSpanId }) => [traceId, parentSpanId])).toEqual([
      [TRACE, SPAN],
      [TRACE, SPAN],
    ]);
    expect(spans.map(({ attributes }) => attributes)).toMatchObject([
      {
        'rpc.system': 'grpc',
        'rpc.service': 'inference.GRPCInferenceService',
        'rpc.method': 'ModelMetadata',
        'rpc.grpc.status_code': 0,
        'carpool.protocol': 'grpc',
      },
      { 'rpc.grpc.status_code': 5, 'carpool.code': 'MODEL_NOT_FOUND' },
    ]);
  });

  it('what was not sampled is not sent, but says where it belongs; probes are not asked for at all', async () => {
    const spans = await traced(
      async (running) => {
        const own = await predict(running, ['a']);
        const asked = await predict(running, ['b'], { traceparent: `00-${TRACE}-${SPAN}-00` });
        const wanted = await predict(running, ['c'], { traceparent: `00-${TRACE}-${SPAN}-01` });
        const broken = await predict(running, ['d'], { traceparent: `00-${TRACE}-${SPAN}` });
        const said = [own, asked, wanted, broken].map(({ headers }) =>
          parseTraceparent(headers['traceparent']),
        );
        expect(said.map((each) => each?.sampled)).toEqual([false, false, true, false]);
        expect(said.map((each) => each?.traceId === TRACE)).toEqual([false, true, true, false]);
        await running.client.get('/healthz');
      },
      { tracing: { sampleRatio: 0 } },
    );
    expect(spans.map(({ name }) => name).sort()).toEqual(['POST /predict', 'batch spam']);
    expect(one(spans, 'POST /predict').traceId).toBe(TRACE);
  });

  it('are sent where the configuration says, with the headers of the environment', async () => {
    process.env['CARPOOL_TEST_HEADERS'] = 'authorization=Bearer%20x';
    try {
      await traced((running) => predict(running, ['a']).then(() => undefined), {
        tracing: {
          otlpUrl: `${collector.url}/api/otlp`,
          serviceName: 'gate',
          headersEnv: 'CARPOOL_TEST_HEADERS',
        },
      });
    } finally {
      delete process.env['CARPOOL_TEST_HEADERS'];
    }
    expect(new Set(collector.paths)).toEqual(new Set(['/api/otlp']));
    expect(collector.headers[0]?.authorization).toBe('Bearer x');
    expect(collector.spans[0]?.resource['service.name']).toBe('gate');
    expect(JSON.stringify(lines)).not.toContain('Bearer');
  });
});

describe('a collector that fails', () => {
  it.each([
    ['refuses', 400],
    ['never answers', 0],
  ])('%s: requests are served, the spans are counted, the stop is not held up', async (_, status) => {
    collector.status = status;
    const beganAt = performance.now();
    await traced(async (running) => {
      const reply = await predict(running, ['a']);
      expect(reply.status).toBe(200);
      await until('sent', () => collector.paths.length > 0);
      if (status === 0) return;
      await until(
        'counted',
        async () => (await running.client.metric('carpool_trace_spans_total{result="failed"}')) === 2,
      );
      expect(lines.filter(({ msg }) => msg === 'traces could not be sent')).toHaveLength(1);
    });
    expect(collector.paths[0]).toBe('/v1/traces');
    expect(performance.now() - beganAt).toBeLessThan(25_000);
  });
});

it('without a collector nothing of it is there', async () => {
  const running = await startGateway();
  const reply = await predict(running, ['a'], { traceparent: `00-${TRACE}-${SPAN}-01` });
  expect(reply.headers['traceparent']).toBeUndefined();
  await running.close();
});
