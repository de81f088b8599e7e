import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import path from 'node:path';
import { loadServices } from '../../src/protocol/grpc/protos.js';
import { MessageMeter } from '../../src/protocol/grpc/message-meter.js';
import { GrpcClient } from '../support/grpc-client.js';
import { REPO_ROOT, startGateway, until, type Running } from '../support/start-gateway.js';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0)) await thing.close();
});

const start = async (server: object, grpc: object = {}): Promise<Running> => {
  const running = await startGateway({
    ...{ server, grpc: { enabled: true, port: 0, ...grpc } },
    models: { load: ['fraud_detector'] },
  });
  open.push(running);
  return running;
};

/** @param windowBytes of each answer, that its client is ready for */
const connectTo = ({ grpc }: Running, windowBytes = 65_535): ClientHttp2Session => {
  const session = connect(`http://127.0.0.1:${grpc?.port ?? 0}`, {
    settings: { initialWindowSize: windowBytes },
  });
  session.on('error', () => undefined);
  open.unshift({ close: () => session.destroy() });
  return session;
};

const HEALTH = '/grpc.health.v1.Health/';
const INFERENCE = '/inference.GRPCInferenceService/';

const begin = (session: ClientHttp2Session, name: string): ClientHttp2Stream => {
  const headers = { ':method': 'POST', ':path': name, 'content-type': 'application/grpc', te: 'trailers' };
  const stream = session.request(headers);
  return stream.on('error', () => undefined).resume();
};

const framed = (message: Buffer): Buffer => {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([prefix, message]);
};

const infer = framed(
  loadServices().inference['ModelInfer']?.requestSerialize({
    ...{ model_name: 'fraud_detector', raw_input_contents: [Buffer.alloc(120)] },
    inputs: [{ name: 'float_input', datatype: 'FP32', shape: [1, 30] }],
  }) ?? Buffer.alloc(0),
);

/** Status and code of ours that a call ended with. */
const endOf = async (stream: ClientHttp2Stream): Promise<unknown[]> => {
  let seen: Record<string, unknown> = {};
  const add = (headers: object): void => void (seen = { ...seen, ...headers });
  stream.on('response', add).on('trailers', add);
  await once(stream, 'close');
  return [seen['grpc-status'], seen['carpool-code'], stream.rstCode];
};

describe('a client that does not read', () => {
  const limits = { sendTimeoutMs: 150 };

  it.each([
    ['its answer', `${HEALTH}Check`],
    ['what it watches', `${HEALTH}Watch`],
  ])('%s: its call is reset, and nothing holds a stop', async (_, name) => {
    const running = await start(limits);
    const stream = begin(connectTo(running, 0), name);
    stream.end(framed(Buffer.alloc(0)));
    expect(await endOf(stream)).toEqual([undefined, undefined, constants.NGHTTP2_CANCEL]);
    expect(await running.client.metric('carpool_connections_cut_total{reason="not_reading"}')).toBe(1);
    expect(await running.gateway.close()).toBe('drained');
  });

  it('the answers of its stream: what waits is dropped, and its connection lives on', async () => {
    const running = await start(limits);
    const session = connectTo(running, 0);
    const stream = begin(session, `${INFERENCE}ModelStreamInfer`);
    const ended = endOf(stream);
    for (let left = 20; left > 0; left--) stream.write(infer);
    const cuts = 'carpool_connections_cut_total{reason="not_reading"}';
    await until('it is cut off', async () => (await running.client.metric(cuts)) === 1);
    expect((await ended)[2]).toBe(constants.NGHTTP2_CANCEL);
    session.settings({ initialWindowSize: 65_535 });
    const other = begin(session, `${HEALTH}Check`);
    other.end(framed(Buffer.alloc(0)));
    expect((await endOf(other))[0]).toBe('0');
    await until(
      'nothing is in flight',
      async () => (await running.client.metric('http_request_in_flight')) === 1,
    );
  });
});

describe('a client that sends its message slowly', () => {
  const limits = { bodyTimeoutMs: 150, sendTimeoutMs: 300 };

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a part', infer.subarray(0, 20)],
    ['all but its end', infer],
  ])('%s: gets DEADLINE_EXCEEDED, and its side is closed for it', async (_, sent) => {
    const running = await start(limits);
    const stream = begin(connectTo(running), `${INFERENCE}ModelInfer`);
    if (sent.byteLength > 0) stream.write(sent);
    expect((await endOf(stream)).slice(0, 2)).toEqual(['4', 'BODY_TIMEOUT']);
    expect(await running.client.metric(`http_request_total{method="POST",route="${INFERENCE}ModelInfer",status="408"}`)).toBe(1); // prettier-ignore
    expect(await running.gateway.close()).toBe('drained');
  });

  it('a stream may be idle, but not stop within a message', async () => {
    const running = await start(limits);
    const stream = begin(connectTo(running), `${INFERENCE}ModelStreamInfer`);
    const ended = endOf(stream);
    let isOver = false;
    void ended.then(() => (isOver = true));
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => (bytes += chunk.byteLength));
    stream.write(infer);
    await until('it is answered', () => bytes > 0);
    const first = bytes;
    // Another call is given up meanwhile: the stream's time would have been over, too.
    await endOf(begin(connectTo(running), `${INFERENCE}ModelInfer`));
    expect(isOver).toBe(false);
    stream.write(infer.subarray(0, 7));
    stream.write(infer.subarray(7));
    await until('it is answered again', () => bytes === 2 * first);
    stream.write(infer.subarray(0, 7));
    expect((await ended).slice(0, 2)).toEqual(['4', 'BODY_TIMEOUT']);
  });
});

describe('a stop', () => {
  it.each([
    ['does not read', 0, `${HEALTH}Check`, framed(Buffer.alloc(0))],
    ['sends half of its message', 65_535, `${INFERENCE}ModelInfer`, infer.subarray(0, 20)],
    ['stops within a message of its stream', 65_535, `${INFERENCE}ModelStreamInfer`, infer.subarray(0, 20)],
  ])('does not wait to its end for a client that %s', async (_, windowBytes, name, sent) => {
    const running = await start({ drainTimeoutMs: 2_000 });
    const session = connectTo(running, windowBytes);
    const stream = begin(session, name);
    stream.write(sent);
    if (windowBytes === 0) stream.end();
    // It has been heard: frames are read in their order.
    await new Promise<void>((resolve) => session.once('connect', () => session.ping(() => resolve())));
    expect(await running.gateway.close()).toBe('drained');
  });
});

describe('connections', () => {
  it('beyond server.maxConnections are closed, and all are counted', async () => {
    const running = await start({ maxConnections: 2 });
    const client = new GrpcClient(running.grpc!);
    open.unshift(client);
    expect((await client.ask('ServerLive')).code).toBe(0);
    const second = connectSocket(running.grpc!);
    await once(second, 'connect');
    const third = connectSocket(running.grpc!);
    await once(third.on('error', () => undefined).resume(), 'close');
    expect(await running.client.metric('carpool_connections_cut_total{reason="max_connections"}')).toBe(1);
    // And the one that asks.
    expect(await running.client.metric('carpool_connections')).toBe(3);
    second.destroy();
  });

  const tls = ['first.pem', 'first.key'].map((name) => path.join(REPO_ROOT, 'test/fixtures/tls', name));

  it.each([
    ['plain', {}],
    ['in its TLS handshake', { tls: { certFile: tls[0], keyFile: tls[1] } }],
  ])('that say nothing are closed after server.headersTimeoutMs (%s)', async (_, grpc) => {
    const running = await start({ headersTimeoutMs: 100 }, grpc);
    const socket = connectSocket(running.grpc!);
    await once(socket.on('error', () => undefined).resume(), 'close');
  });
});

describe('MessageMeter', () => {
  const stream = Buffer.concat([3, 0, 300, 1].map((bytes) => framed(Buffer.alloc(bytes, 9))));

  it.each([1, 2, 4, 5, 7, 8, 13, 1_000])('finds the ends in chunks of %i bytes', (size) => {
    const meter = new MessageMeter();
    const ends: number[] = [];
    for (let at = 0; at < stream.byteLength; at += size)
      if (meter.add(stream.subarray(at, at + size))) ends.push(at);
    const expected = [8, 13, 318, 324].map((end) => Math.floor((end - 1) / size) * size);
    expect(ends).toEqual([...new Set(expected)]);
    expect(meter.isInside).toBe(false);
  });

  it('is inside from the first byte of a message to its last', () => {
    const meter = new MessageMeter();
    const seen = Array.from(framed(Buffer.alloc(2)), (byte) => {
      meter.add(Uint8Array.of(byte));
      return meter.isInside;
    });
    expect(seen).toEqual([true, true, true, true, true, true, false]);
  });
});
