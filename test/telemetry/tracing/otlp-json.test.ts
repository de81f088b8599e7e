import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SpanKind, SpanStatusCode, type Attributes, type HrTime } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { emptyResource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { exportFrame, spanJson } from '../../../src/telemetry/tracing/otlp-json.js';
import type { SpanData, WriteAttribute } from '../../../src/telemetry/tracing/span.js';
import { TraceCollector, type CollectedSpan } from '../../support/trace-collector.js';

const OFFSET_MS = 1_700_000_000_000;
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

const spanOf = (
  fields: Partial<SpanData>,
  attributes: Readonly<Record<string, string | number>> = {},
): SpanData => ({
  traceId: TRACE,
  spanId: SPAN,
  name: 'POST /predict',
  kind: 'server',
  startMs: 1.25,
  endMs: 1000.000_4,
  attributes: (write: WriteAttribute) => {
    for (const [name, value] of Object.entries(attributes)) write(name, value);
    write('left.out', undefined);
  },
  events: [],
  links: [],
  droppedLinks: 0,
  ...fields,
});

const hrTime = (ms: number): HrTime => {
  const micros = Math.round((OFFSET_MS + ms) * 1000);
  return [Math.floor(micros / 1e6), (micros % 1e6) * 1000];
};

/** The same for OpenTelemetry's own exporter. */
const readable = (span: SpanData): ReadableSpan => {
  const attributes: Attributes = {};
  span.attributes((name, value) => {
    if (value !== undefined) attributes[name] = value;
  });
  const contextOf = (spanId: string, traceId = span.traceId) => ({ traceId, spanId, traceFlags: 1 });
  const { traceState, parentSpanId, failure } = span;
  return {
    name: span.name,
    kind: span.kind === 'server' ? SpanKind.SERVER : SpanKind.INTERNAL,
    spanContext: () => ({
      ...contextOf(span.spanId),
      ...(traceState === undefined
        ? {}
        : {
            traceState: {
              serialize: () => traceState,
              get: () => undefined,
              set: () => neverAsked(),
              unset: () => neverAsked(),
            },
          }),
    }),
    ...(parentSpanId === undefined
      ? {}
      : { parentSpanContext: { ...contextOf(parentSpanId), isRemote: true } }),
    startTime: hrTime(span.startMs),
    endTime: hrTime(span.endMs),
    duration: [0, 0],
    ended: true,
    status:
      failure === undefined
        ? { code: SpanStatusCode.UNSET }
        : { code: SpanStatusCode.ERROR, message: failure },
    attributes,
    links: span.links.map(({ traceId, spanId }) => ({ context: contextOf(spanId, traceId) })),
    events: span.events.map(({ name, atMs }) => ({ name, time: hrTime(atMs) })),
    resource: emptyResource(),
    instrumentationScope: { name: 'carpool', version: '1' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: span.droppedLinks,
  };
};

const neverAsked = (): never => {
  throw new Error('an exporter changes nothing');
};

const bodyOf = (spans: readonly SpanData[]): string => {
  const { head, tail } = exportFrame(() => undefined, { name: 'carpool', version: '1' });
  return head + spans.map((span) => spanJson(span, OFFSET_MS)).join(',') + tail;
};

let collector: TraceCollector;
beforeEach(async () => (collector = await TraceCollector.start()));
afterEach(() => collector.close());

const sentBySdk = async (spans: readonly SpanData[]): Promise<readonly CollectedSpan[]> => {
  const exporter = new OTLPTraceExporter({ url: collector.url });
  await new Promise((resolve) => exporter.export(spans.map(readable), resolve));
  await exporter.shutdown();
  return collector.spans.splice(0);
};

const sentByUs = async (spans: readonly SpanData[]): Promise<readonly CollectedSpan[]> => {
  await fetch(collector.url, { method: 'POST', body: bodyOf(spans) });
  return collector.spans.splice(0);
};

describe('spans as OTLP', () => {
  it("read as those of OpenTelemetry's own exporter", async () => {
    const spans = [
      spanOf({}),
      spanOf(
        {
          parentSpanId: 'b7ad6b7169203331',
          traceState: 'vendor=a "value"',
          failure: 'EXECUTION_FAILED',
          events: [
            { name: 'parsed', atMs: 2 },
            { name: 'ran', atMs: 999.999_96 },
          ],
          links: [
            { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) },
            { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16) },
          ],
          droppedLinks: 7,
        },
        { text: 'plain', odd: 'quote " back \\ line\n é 😀', whole: 12, part: 0.125, none: 0, minus: -3 },
      ),
      spanOf({ name: 'batch "odd"', kind: 'internal' }),
    ];
    const theirs = await sentBySdk(spans);
    expect(theirs).toHaveLength(3);
    expect(await sentByUs(spans)).toEqual(theirs);
  });

  it('are JSON whatever the numbers', () => {
    const span = spanOf({}, { nan: NaN, inf: -Infinity });
    expect(spanJson(span, OFFSET_MS)).toContain(
      '{"key":"nan","value":{"doubleValue":"NaN"}},{"key":"inf","value":{"doubleValue":"-Infinity"}}',
    );
    expect(() => JSON.parse(bodyOf([span, span])) as unknown).not.toThrow();
  });
});
