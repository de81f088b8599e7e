import type { SpanData, SpanEvent, SpanLink, WriteAttribute } from './span.js';

/** Kinds and codes of OTLP. */
const KIND = { internal: 1, server: 2 } as const;
const STATUS_ERROR = 2;
/** Only sampled traces are sent: that flag, and that it is known whether the parent is remote; and that it is. */
const FLAGS = 0x101;
const FLAGS_REMOTE = 0x301;

/**
 * A span as OTLP's JSON has it (opentelemetry-proto 1, `Span`); what has its default is left out. Not by OpenTelemetry's
 * SDK: its objects, which live until their export, took as much of the event loop as a small request itself.
 *
 * @param offsetMs what makes Unix time of the gateway's clock
 */
export const spanJson = (span: SpanData, offsetMs: number): string => {
  const { parentSpanId, traceState, failure, droppedLinks } = span;
  let json =
    `{"traceId":"${span.traceId}","spanId":"${span.spanId}","name":${quoted(span.name)},"kind":${KIND[span.kind]}` +
    `,"flags":${parentSpanId === undefined ? FLAGS : FLAGS_REMOTE}` +
    `,"startTimeUnixNano":${nanos(span.startMs + offsetMs)},"endTimeUnixNano":${nanos(span.endMs + offsetMs)}` +
    `,"attributes":${attributesJson(span.attributes)}`;
  if (parentSpanId !== undefined) json += `,"parentSpanId":"${parentSpanId}"`;
  if (traceState !== undefined) json += `,"traceState":${quoted(traceState)}`;
  if (failure !== undefined) json += `,"status":{"code":${STATUS_ERROR},"message":${quoted(failure)}}`;
  if (span.events.length > 0) json += `,"events":[${eventsJson(span.events, offsetMs)}]`;
  if (span.links.length > 0) json += `,"links":[${linksJson(span.links)}]`;
  if (droppedLinks > 0) json += `,"droppedLinksCount":${droppedLinks}`;
  return `${json}}`;
};

/** What stands around the spans of an export, which are separated by commas. */
export const exportFrame = (
  resource: (write: WriteAttribute) => void,
  scope: { readonly name: string; readonly version: string },
): { readonly head: string; readonly tail: string } => ({
  head:
    `{"resourceSpans":[{"resource":{"attributes":${attributesJson(resource)}}` +
    `,"scopeSpans":[{"scope":${JSON.stringify(scope)},"spans":[`,
  tail: ']}]}]}',
});

const attributesJson = (attributes: (write: WriteAttribute) => void): string => {
  let json = '';
  attributes((name, value) => {
    if (value !== undefined)
      json += `${json === '' ? '[' : ','}{"key":"${name}","value":${valueJson(value)}}`;
  });
  return json === '' ? '[]' : `${json}]`;
};

const valueJson = (value: string | number): string => {
  if (typeof value === 'string') return `{"stringValue":${quoted(value)}}`;
  // NaN and infinities have no number in JSON; proto3 has words for them.
  if (!Number.isFinite(value)) return `{"doubleValue":"${value}"}`;
  return Number.isInteger(value) ? `{"intValue":${value}}` : `{"doubleValue":${value}}`;
};

const eventsJson = (events: readonly SpanEvent[], offsetMs: number): string => {
  let json = '';
  for (const { name, atMs } of events)
    json += `${json === '' ? '' : ','}{"name":"${name}","timeUnixNano":${nanos(atMs + offsetMs)}}`;
  return json;
};

const linksJson = (links: readonly SpanLink[]): string => {
  let json = '';
  for (const { traceId, spanId } of links)
    json += `${json === '' ? '' : ','}{"traceId":"${traceId}","spanId":"${spanId}"}`;
  return json;
};

const PLAIN = /^[\w\-./: ]*$/;

/** Most need no escapes, and looking is quicker than JSON.stringify. */
const quoted = (text: string): string => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text));

/**
 * To the microsecond, in a string: the nanoseconds since 1970 are beyond a double. In two parts, because integers below
 * 2^31 are printed quicker.
 */
const nanos = (unixMs: number): string => {
  const micros = Math.round(unixMs * 1000);
  const seconds = Math.floor(micros / 1e6);
  return `"${seconds}${`${micros - seconds * 1e6}`.padStart(6, '0')}000"`;
};
