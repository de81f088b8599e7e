import { connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import type { SeededRandom } from '../chaos/seeded-random.js';
import type { Verdict } from './judge.js';

const LIMIT_MS = 5_000;

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** `[flag][length][message]` of gRPC; flag and length may lie. */
const framed = (random: SeededRandom): Buffer => {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(random.pick([0, 0, 1, 2, 255]), 0);
  prefix.writeUInt32BE(random.pick([0, 1, 10, 1_000, 2 ** 31, 2 ** 32 - 1]), 1);
  return Buffer.concat([prefix, Buffer.alloc(random.pick([0, 1, 10, 100]), random.between(0, 255))]);
};

/** Calls whose frames, headers and paths no client library would send; any end but silence is right. */
export const attackHttp2 = (port: number, random: SeededRandom): Promise<Verdict> =>
  random.next() < 0.3 ? noHttp2(port, random) : call(port, random);

const call = (port: number, random: SeededRandom): Promise<Verdict> =>
  new Promise((resolve) => {
    const session = connect(`http://127.0.0.1:${port}`);
    const settle = (verdict: Verdict): void => {
      clearTimeout(limit);
      session.destroy();
      resolve(verdict);
    };
    const limit = setTimeout(() => settle({ label: 'silence', problem: 'no answer: silence' }), LIMIT_MS);
    session.on('error', () => settle({ label: 'session error' }));
    const stream = session.request({
      ':method': random.pick(['POST', 'POST', 'POST', 'GET', 'PUT']),
      ':path': random.pick([
        ...[
          '/inference.GRPCInferenceService/ModelInfer',
          '/inference.GRPCInferenceService/ServerLive',
          '/',
          '//',
          '/x',
        ],
        ...[
          '/inference.GRPCInferenceService/ModelStreamInfer',
          '/inference.GRPCInferenceService/',
          '/__proto__/x',
        ],
      ]),
      'content-type': random.pick([
        'application/grpc',
        'application/grpc',
        'application/grpc+json',
        'text/plain',
        '',
      ]),
      te: 'trailers',
      ...random.pick<Record<string, string>>([
        {},
        { 'grpc-encoding': random.pick(['gzip', 'deflate', 'br', 'x']) },
        { 'grpc-timeout': random.pick(['1n', '0S', '99999999H', 'x', '-1S', '999999999999S']) },
        { 'grpc-accept-encoding': 'x' },
      ]),
    });
    // Trailers alone and resets count as answers, too.
    stream.on('error', () => settle({ label: 'reset' }));
    stream.on('close', () => settle({ label: 'answered' }));
    stream.on('data', () => undefined);
    stream.end(framed(random));
  });

const noHttp2 = (port: number, random: SeededRandom): Promise<Verdict> =>
  new Promise((resolve) => {
    const socket = connectSocket(port, '127.0.0.1');
    const bytes = Buffer.from(Array.from({ length: random.between(1, 200) }, () => random.between(0, 255)));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve({ label: 'closed' }));
    socket.on('data', () => undefined);
    socket.write(random.next() < 0.5 ? Buffer.concat([Buffer.from(PREFACE), bytes]) : bytes);
    setTimeout(() => socket.destroy(), random.between(0, 50));
  });
