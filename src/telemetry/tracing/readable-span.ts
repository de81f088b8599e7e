import type { Attributes, HrTime, Link, SpanContext } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { hostname } from 'node:os';
import type { OtlpOptions, OtlpSinkDeps } from './otlp-sink.js';
import type { SpanData, SpanLink } from './span.js';

export type ToReadable = (span: SpanData) => ReadableSpan;

/** Clocks drift apart, and the wall's may be set: beyond this they are compared anew. */
const MAX_DRIFT_MS = 50;
/** Only sampled traces come here. */
const SAMPLED = 1;

/**
 * Makes the SDK's form of our spans, without its tracer: that would do at the begin of every request what is done here
 * at the end of the sampled ones.
 */
export const loadReadable = async (
  { serviceName, serviceVersion }: OtlpOptions,
  { now, unixNow }: Pick<OtlpSinkDeps, 'now' | 'unixNow'>,
): Promise<ToReadable> => {
  const [api, { defaultResource, resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/resources'),
  ]);
  const { SpanKind, SpanStatusCode, createTraceState } = api;
  const resource = defaultResource().merge(
    resourceFromAttributes({
      'service.name': serviceName,
      'service.version': serviceVersion,
      'service.instance.id': `${hostname()}:${process.pid}`,
    }),
  );
  const instrumentationScope = { name: 'carpool', version: serviceVersion };

  let offsetMs = unixNow() - now();
  const timeOf = (ms: number): HrTime => hrTimeOf(offsetMs + ms);

  return (span) => {
    const drifted = unixNow() - now();
    if (Math.abs(drifted - offsetMs) > MAX_DRIFT_MS) offsetMs = drifted;
    const { traceId, parentSpanId, traceState, startMs, endMs, failure } = span;
    const context: SpanContext = {
      ...contextOf(span),
      ...(traceState === undefined ? {} : { traceState: createTraceState(traceState) }),
    };
    return {
      name: span.name,
      kind: span.kind === 'server' ? SpanKind.SERVER : SpanKind.INTERNAL,
      spanContext: () => context,
      ...(parentSpanId === undefined
        ? {}
        : { parentSpanContext: { ...contextOf({ traceId, spanId: parentSpanId }), isRemote: true } }),
      startTime: timeOf(startMs),
      endTime: timeOf(endMs),
      duration: hrTimeOf(endMs - startMs),
      ended: true,
      status:
        failure === undefined
          ? { code: SpanStatusCode.UNSET }
          : { code: SpanStatusCode.ERROR, message: failure },
      attributes: defined(span.attributes),
      links: span.links.map((link): Link => ({ context: contextOf(link) })),
      events: span.events.map(({ name, atMs }) => ({ name, time: timeOf(atMs) })),
      resource,
      instrumentationScope,
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: span.droppedLinks,
    };
  };
};

/** Seconds and nanoseconds. */
const hrTimeOf = (ms: number): HrTime => {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
};

const contextOf = ({ traceId, spanId }: SpanLink): SpanContext => ({ traceId, spanId, traceFlags: SAMPLED });

const defined = (attributes: SpanData['attributes']): Attributes => {
  const kept: Attributes = {};
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) kept[key] = value;
  return kept;
};
