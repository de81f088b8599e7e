import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import type { SeededRandom } from '../chaos/seeded-random.js';

type Trick = (body: Buffer, random: SeededRandom) => Buffer;

const cut = (body: Buffer, random: SeededRandom): Buffer =>
  body.subarray(0, random.between(0, Math.max(0, body.length - 1)));

const around = (body: Buffer, random: SeededRandom, middle: Uint8Array, removed = 0): Buffer => {
  const at = random.between(0, body.length);
  return Buffer.concat([body.subarray(0, at), middle, body.subarray(at + removed)]);
};

const flipped: Trick = (body, random) => {
  const copy = Buffer.from(body);
  for (let left = random.between(1, 4); left > 0 && copy.length > 0; left--) {
    const at = random.between(0, copy.length - 1);
    copy[at] = (copy[at] ?? 0) ^ (1 << random.between(0, 7));
  }
  return copy;
};

/** Lone continuation, overlong slash, half of a character, a surrogate, too large, never in UTF-8. */
const NO_UTF8 = [[0x80], [0xc0, 0xaf], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xff]];

/** Of the bytes of a body, whatever they mean. */
const TRICKS: readonly Trick[] = [
  cut,
  cut,
  flipped,
  flipped,
  (body, random) => around(body, random, Buffer.alloc(0), random.between(1, 20)),
  (body, random) => around(body, random, Buffer.from(random.pick(NO_UTF8))),
  (body, random) => around(body, random, Buffer.from([random.between(0, 31)])),
  (body, random) => around(body, random, Buffer.from(random.pick(['{', '}', '[', ']', ',', ':', '"', '\\']))),
  (body) => Buffer.concat([Buffer.from('\ufeff'), body]),
  (body) => Buffer.from(body.toString('utf8'), 'utf16le'),
  (body) => Buffer.concat([body, body]),
  (body) => Buffer.concat([body, Buffer.from(' x')]),
  (body) => Buffer.concat([Buffer.alloc(30_000, ' '), body]),
  (body) => Buffer.from(body.toString('utf8').replace('{', '{"model":"spam","inputs":1,')),
  (_, random) => Buffer.from('['.repeat(random.pick([5, 100, 5_000, 60_000]))),
  (_, random) => Buffer.from('{"a":'.repeat(random.pick([5, 100, 5_000]))),
  (_, random) =>
    Buffer.from(random.pick(['', 'null', 'true', '0', '""', '[]', '{}', '[[]]', '{"":{}}', '\u0000'])),
  (_, random) => Buffer.from(Array.from({ length: random.between(1, 300) }, () => random.between(0, 255))),
];

export const trickedBody = (body: Buffer, random: SeededRandom): Buffer => random.pick(TRICKS)(body, random);

export interface Coded {
  readonly coding: string;
  readonly body: Buffer;
}

/** Compressed, or said to be; what comes out of a bomb is 64 times the limit. */
export const coded = (body: Buffer, random: SeededRandom, bodyLimitBytes: number): Coded =>
  random.pick<() => Coded>([
    () => ({ coding: 'gzip', body: gzipSync(body) }),
    () => ({ coding: 'deflate', body: deflateSync(body) }),
    () => ({ coding: 'deflate', body: deflateRawSync(body) }),
    () => ({ coding: 'gzip', body: cut(gzipSync(body), random) }),
    () => ({ coding: 'gzip', body: flipped(gzipSync(body), random) }),
    () => ({ coding: 'gzip', body: Buffer.concat([gzipSync(body), gzipSync(body)]) }),
    () => ({ coding: 'gzip', body: Buffer.concat([gzipSync(body), Buffer.from('tail')]) }),
    () => ({ coding: 'gzip', body: gzipSync(Buffer.alloc(64 * bodyLimitBytes, ' ')) }),
    () => ({ coding: random.pick(['gzip', 'deflate', 'x-gzip']), body }),
    () => ({
      coding: random.pick(['br', 'zstd', 'identity', 'gzip, gzip', 'GZIP', '', 'gzip;q=1', '*', 'chunked']),
      body: gzipSync(body),
    }),
  ])();
