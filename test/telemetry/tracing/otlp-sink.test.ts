import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { OtlpSink } from '../../../src/telemetry/tracing/otlp-sink.js';
import type { SpanData } from '../../../src/telemetry/tracing/span.js';
import { until } from '../../support/start-gateway.js';
import { TraceCollector } from '../../support/trace-collector.js';

let collector: TraceCollector;
beforeEach(async () => (collector = await TraceCollector.start()));
afterEach(() => collector.close());

const opened = (url = collector.url) => {
  const counts = { exported: 0, failed: 0, dropped: 0 };
  const faults: string[] = [];
  const sink = new OtlpSink(
    { url, serviceName: 's', serviceVersion: '1', headers: {} },
    {
      now: () => performance.now(),
      unixNow: () => Date.now(),
      count: (result, spans) => (counts[result] += spans),
      onFault: (message) => faults.push(message),
    },
  );
  return { sink, counts, faults };
};

const spanOf = (at: number, bytes = 0): SpanData => ({
  traceId: 'a'.repeat(32),
  spanId: at.toString(16).padStart(16, '0'),
  name: 'x'.repeat(bytes),
  kind: 'internal',
  startMs: 0,
  endMs: 0,
  attributes: () => undefined,
  events: [],
  links: [],
  droppedLinks: 0,
});

describe('OtlpSink', () => {
  it('sends all of many, each once, in several exports', async () => {
    const { sink, counts } = opened();
    for (let at = 1; at <= 2000; at++) sink.add(spanOf(at, 500));
    await sink.close();
    expect(counts).toEqual({ exported: 2000, failed: 0, dropped: 0 });
    expect(new Set(collector.spans.map(({ spanId }) => spanId)).size).toBe(2000);
    expect(collector.spans).toHaveLength(2000);
    expect(collector.paths.length).toBeGreaterThan(2);
  });

  it('sends by itself after a while, and again what comes later', async () => {
    const { sink } = opened();
    sink.add(spanOf(1));
    await until('sent', () => collector.spans.length === 1);
    sink.add(spanOf(2));
    await until('sent again', () => collector.spans.length === 2);
    await sink.close();
    expect(collector.paths).toHaveLength(2);
  });

  it('keeps so many for a collector that hangs, and drops the rest', async () => {
    collector.status = 0;
    const { sink, counts, faults } = opened();
    for (let at = 1; at <= 20_000; at++) sink.add(spanOf(at, 500));
    expect(counts.dropped).toBeGreaterThan(10_000);
    await sink.close();
    expect(counts.failed + counts.dropped).toBe(20_000);
    expect(faults).toHaveLength(1);
  });

  it('drops a span that is larger than an export', async () => {
    const { sink, counts } = opened();
    sink.add(spanOf(1, 300_000));
    sink.add(spanOf(2));
    await sink.close();
    expect(counts).toEqual({ exported: 1, failed: 0, dropped: 1 });
  });

  it('tries again when the collector is busy, and not when it refuses', async () => {
    collector.status = 503;
    const busy = opened();
    busy.sink.add(spanOf(1));
    await until('asked', () => collector.paths.length > 0);
    collector.status = 200;
    await until('taken', () => busy.counts.exported === 1);
    await busy.sink.close();
    collector.status = 400;
    const asked = collector.paths.length;
    const refused = opened();
    refused.sink.add(spanOf(2));
    await refused.sink.close();
    expect(refused.counts).toEqual({ exported: 0, failed: 1, dropped: 0 });
    expect(refused.faults).toEqual(['the collector answered 400']);
    expect(collector.paths.length - asked).toBe(1);
  });
});
