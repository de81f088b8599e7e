import type { SeededRandom } from '../chaos/seeded-random.js';
import { head, type Attack } from './attack.js';

const BODY = '{"texts":["You won a free prize, call now!"]}';

const HOST = ['host', 'localhost'] as const;
const JSON_TYPE = ['content-type', 'application/json'] as const;

const post = (headers: readonly (readonly [string, string])[], body: string | Uint8Array): Buffer =>
  Buffer.concat([head('POST', '/predict', [HOST, JSON_TYPE, ...headers]), Buffer.from(body)]);

const chunk = (size: string, data: string): string => `${size}\r\n${data}\r\n`;

const hex = BODY.length.toString(16);

/** Lies about where a request ends, and bytes that are no HTTP. */
const SPOILING: readonly ((random: SeededRandom) => Buffer)[] = [
  ...['-5', '+5', '0x10', '1e3', '5,5', '5 5', '', ' ', 'NaN', '99999999999999999999'].map(
    (length) => () => post([['content-length', length]], BODY),
  ),
  () =>
    post(
      [
        ['content-length', '5'],
        ['content-length', '6'],
      ],
      BODY,
    ),
  () =>
    post(
      [
        ['content-length', '5'],
        ['transfer-encoding', 'chunked'],
      ],
      chunk(hex, BODY) + chunk('0', ''),
    ),
  () =>
    post(
      [
        ['transfer-encoding', 'chunked'],
        ['transfer-encoding', 'identity'],
      ],
      chunk(hex, BODY),
    ),
  ...['xchunked', 'chunked, gzip', 'gzip, chunked', 'chunked;x', '\u000bchunked', 'identity'].map(
    (coding) => () => post([['transfer-encoding', coding]], chunk(hex, BODY) + chunk('0', '')),
  ),
  ...[
    'nonsense',
    '-1',
    'ffffffffffffffff',
    '1;',
    `${hex};${'x'.repeat(20_000)}`,
    `0${'0'.repeat(20_000)}1`,
    '2 ',
  ].map((size) => () => post([['transfer-encoding', 'chunked']], chunk(size, BODY) + chunk('0', ''))),
  () =>
    post(
      [['transfer-encoding', 'chunked']],
      chunk(hex, BODY) + '0\r\nx: y\r\n' + 'a: b\r\n'.repeat(5_000) + '\r\n',
    ),
  () => post([['content-length', String(BODY.length - 7)]], BODY),
  () => Buffer.from('GARBAGE\r\n\r\n'),
  () => Buffer.from('\r\n\r\n\r\nGET / HTTP/9.9\r\n\r\n'),
  () => Buffer.from('GET /healthz\r\n\r\n'),
  () => Buffer.from('GET /healthz HTTP/1.1\r\n\r\n'),
  () => Buffer.from('GET /healthz HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n'),
  () => Buffer.from('GET /healthz HTTP/1.1\nhost: a\n\n'),
  () => Buffer.from('GET /healthz HTTP/1.1\r\nhost: a\r\n folded: x\r\n\r\n'),
  () => Buffer.from('GET /healthz HTTP/1.1\r\nhost : a\r\n\r\n'),
  () => Buffer.from('GET /healthz HTTP/1.1\r\nhost: a\r\nno colon\r\n\r\n'),
  () => Buffer.from('GET /healthz HTTP/1.1\r\nhost: a\r\nx: \0\r\n\r\n'),
  () => Buffer.from('GET /he\talthz HTTP/1.1\r\nhost: a\r\n\r\n'),
  () => Buffer.from('GET http://a:b:c/healthz HTTP/1.1\r\nhost: a\r\n\r\n'),
  () => Buffer.from('GET http://other.example/healthz HTTP/1.1\r\nhost: a\r\n\r\n'),
  () => Buffer.from('OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n'),
  () => Buffer.from('GET * HTTP/1.1\r\nhost: a\r\n\r\n'),
  () => Buffer.from('CONNECT localhost:1 HTTP/1.1\r\nhost: a\r\n\r\n'),
  () => Buffer.from('GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'),
  () => Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  () => Buffer.from('POST /predict HTTP/1.0\r\ncontent-length: 3\r\n\r\n{}x'),
  () => Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 13, 10, 13, 10]),
  () => head('GET', '/healthz', [HOST, ['x', 'y'.repeat(20_000)]]),
  () => head('GET', '/healthz', [HOST, ...Array.from({ length: 3_000 }, (_, i) => [`x${i}`, 'y'] as const)]),
  () => head('GET', `/${'a'.repeat(20_000)}`, [HOST]),
  () => head('x'.repeat(20_000), '/', [HOST]),
  (random) => Buffer.from(Array.from({ length: random.between(1, 500) }, () => random.between(0, 255))),
  (random) => {
    const bytes = post([['content-length', String(BODY.length)]], BODY);
    for (let left = random.between(1, 5); left > 0; left--)
      bytes[random.between(0, bytes.length - 1)] = random.between(0, 255);
    return bytes;
  },
];

const whole = post([['content-length', String(BODY.length)]], BODY);

/** Bytes after which the client hangs up. */
const brokenOff = (random: SeededRandom): Buffer =>
  random.pick([
    () => whole.subarray(0, random.between(1, whole.length - 1)),
    () => post([['transfer-encoding', 'chunked']], chunk(hex, BODY)),
    () => post([['content-length', '999999']], BODY),
    // Whole, but nobody waits for the answer.
    () => whole,
    () => Buffer.concat(Array.from({ length: 20 }, () => whole)),
  ])();

export const rawAttack = (random: SeededRandom): Attack =>
  random.next() < 0.4
    ? {
        kind: 'broken off',
        bytes: brokenOff(random),
        method: 'POST',
        hangUp: random.pick(['end', 'destroy']),
        spoilsConnection: true,
      }
    : { kind: 'no HTTP', bytes: random.pick(SPOILING)(random), method: 'POST', spoilsConnection: true };
