import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createGateway, type Gateway } from '../../src/gateway.js';
import { freePort } from '../support/free-port.js';
import { SHIPPED_MODELS } from '../support/start-gateway.js';

const takesConnections = async (port: number): Promise<boolean> => {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
};

const gatewayAt = (port: number, grpcPort: number, load: string[]): Gateway =>
  createGateway({
    ...{ server: { port }, grpc: { enabled: true, port: grpcPort }, log: { level: 'silent' } },
    ...{ lanes: { count: 1 }, batching: { calibrate: 'off' } },
    models: { root: SHIPPED_MODELS, load, trial: false },
  });

describe('close() while it starts', () => {
  it('loads no more models, and listens nowhere', async () => {
    const [port, grpcPort] = [await freePort(), await freePort()];
    const gateway = gatewayAt(port, grpcPort, ['fraud_detector', 'spam']);
    const listening = expect(gateway.listen()).rejects.toMatchObject({ code: 'DRAINING' });
    expect(await gateway.close()).toBe('drained');
    await listening;
    expect((await gateway.ready()).models).toEqual([]);
    expect([await takesConnections(port), await takesConnections(grpcPort)]).toEqual([false, false]);
    await expect(gateway.listen()).rejects.toMatchObject({ code: 'DRAINING' });
  });

  it.each([0, 1, 2, 4])('nor when it is about to listen (%i turns later)', async (turns) => {
    const [port, grpcPort] = [await freePort(), await freePort()];
    const gateway = gatewayAt(port, grpcPort, []);
    await gateway.ready();
    const listening = gateway.listen().catch(() => undefined);
    for (let turn = 0; turn < turns; turn++) await nextTurn();
    if (turns === 0) for (let micro = 0; micro < 4; micro++) await Promise.resolve();
    expect(await gateway.close()).toBe('drained');
    await listening;
    expect([await takesConnections(port), await takesConnections(grpcPort)]).toEqual([false, false]);
  });
});
