import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createGateway } from '../../src/gateway.js';
import { GrpcClient } from '../support/grpc-client.js';
import { startGateway, tempModelRoot, until, type TempFolder } from '../support/start-gateway.js';

let root: TempFolder;
beforeAll(async () => {
  root = await tempModelRoot();
});
afterAll(() => root.remove());

const start = (): ReturnType<typeof startGateway> =>
  startGateway({
    grpc: { enabled: true, port: 0 },
    // The slow rows are all alike.
    batching: { singleFlight: false },
    models: { root: root.path, load: ['fraud_detector'] },
  });

const slow = (rows: number): object => ({
  ...{ model_name: 'slow', inputs: [{ name: 'x', datatype: 'FP32', shape: [rows, 64] }] },
  raw_input_contents: [Buffer.alloc(rows * 256)],
});

describe('close()', () => {
  it('answers what is open, ends streams that are idle, and leaves no connection', async () => {
    const running = await start();
    const client = new GrpcClient(running.grpc!);
    await running.client.load('slow', 'slow.onnx');
    const idle = client.stream([slow(1)], true);
    const calls = Array.from({ length: 10 }, () => client.infer(slow(4)));
    await until(
      'something waits',
      async () => (await running.client.metric('carpool_queue_rows{model="slow"}')) > 0,
    );
    expect(await running.close()).toBe('drained');
    expect((await Promise.all(calls)).map(({ code }) => code)).toEqual(calls.map(() => 0));
    expect(await idle).toHaveLength(1);
    expect((await client.ask('ServerLive', {}, { timeoutMs: 2000 })).code).toBe(14);
    client.close();
  });

  it('does not wait for a client that only keeps its connection', async () => {
    const running = await start();
    const client = new GrpcClient(running.grpc!);
    expect((await client.ask('ServerReady')).value).toEqual({ ready: true });
    expect(await running.close()).toBe('drained');
    client.close();
  });
});

describe('a client that never closes its end', () => {
  // Preface and empty SETTINGS of HTTP/2.
  const HELLO = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]); // prettier-ignore

  it.each([
    ['after its hello', HELLO],
    ['before it', Buffer.alloc(0)],
  ])('does not hold a stop until its deadline (%s)', async (_, hello) => {
    const running = await start();
    const socket = connect({ ...running.grpc!, allowHalfOpen: true });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write(hello);
    // It has been heard.
    if (hello.length > 0) await once(socket, 'data');
    const closed = once(socket.resume(), 'close');
    expect(await running.close()).toBe('drained');
    socket.destroy();
    await closed;
  });
});

describe('listen()', () => {
  it('says what to do when the port is taken', async () => {
    const running = await start();
    const { port } = running.grpc!;
    const second = createGateway({
      ...{ server: { port: 0 }, log: { level: 'silent' }, lanes: { count: 1 } },
      ...{ grpc: { enabled: true, port }, models: { root: root.path, load: ['fraud_detector'] } },
    });
    await expect(second.listen()).rejects.toThrow(
      `gRPC: cannot listen on 127.0.0.1:${port}: the port is in use; choose another with --set grpc.port=`,
    );
    await second.close();
    await running.close();
  });

  it('is for HTTP alone where gRPC is not enabled', async () => {
    const running = await startGateway({ models: { root: root.path, load: ['fraud_detector'] } });
    expect(running.grpc).toBeUndefined();
    await running.close();
  });
});
