import { randomFillSync } from 'node:crypto';

/** What a trace's participants hand on: W3C Trace Context. */
export interface TraceParent {
  /** 32 lower-case hex digits, not all 0. */
  readonly traceId: string;
  /** Of the span that called: 16 lower-case hex digits, not all 0. */
  readonly spanId: string;
  readonly sampled: boolean;
}

/** version - trace id - parent id - flags; `ff` is no version, and only versions above 00 may have more behind. */
const TRACEPARENT = /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const SAMPLED = 1;

/**
 * Reads a `traceparent` header (W3C Trace Context 1, section 3.2), strictly: upper-case digits, ids of zeros, several
 * headers in one, or anything behind a version 00 make it as good as absent.
 */
export const parseTraceparent = (header: unknown): TraceParent | undefined => {
  const [, version, traceId, spanId, flags, more] =
    (typeof header === 'string' ? TRACEPARENT.exec(header) : null) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (version === '00' && more !== undefined) return undefined;
  return { traceId, spanId, sampled: (parseInt(flags, 16) & SAMPLED) === SAMPLED };
};

const MAX_MEMBERS = 32;
const MAX_TRACESTATE_CHARS = 512;
/** `vendor=value`, `tenant@vendor=value`; the value is printable, without comma, equals sign and space at its end. */
const MEMBER =
  /^[a-z\d][\w\-*/]{0,240}(?:@[a-z][\w\-*/]{0,13})?=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** A `tracestate` header (section 3.3) as it came; undefined where it is none, or longer than has to be handed on. */
export const parseTracestate = (header: unknown): string | undefined => {
  if (typeof header !== 'string' || header.length > MAX_TRACESTATE_CHARS) return undefined;
  const members = header
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');
  const isGood =
    members.length > 0 && members.length <= MAX_MEMBERS && members.every((member) => MEMBER.test(member));
  return isGood ? members.join(',') : undefined;
};

export const formatTraceparent = ({ traceId, spanId, sampled }: TraceParent): string =>
  `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;

/**
 * The same answer for a trace wherever it is asked: the last 32 bits of its id, which W3C wants random, as a share of
 * their range.
 * @param ratio 0 = none, 1 = all
 */
export const isSampled = (traceId: string, ratio: number): boolean =>
  parseInt(traceId.slice(-8), 16) < ratio * 2 ** 32;

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
/** One call for random bytes costs as much as two hundred ids. */
const POOL_BYTES = 4096;

/** Random ids; the bytes are drawn many at a time. */
export class IdSource {
  readonly #pool = Buffer.alloc(POOL_BYTES);
  #used = POOL_BYTES;

  traceId(): string {
    return this.#hex(TRACE_ID_BYTES);
  }

  spanId(): string {
    return this.#hex(SPAN_ID_BYTES);
  }

  #hex(bytes: number): string {
    if (this.#used + bytes > POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const from = this.#used;
    this.#used += bytes;
    const id = this.#pool.toString('hex', from, this.#used);
    // One in 2^64; but an id of zeros is none.
    return /[^0]/.test(id) ? id : this.#hex(bytes);
  }
}
