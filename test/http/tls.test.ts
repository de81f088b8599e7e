import { describe, expect, it } from '@jest/globals';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import path from 'node:path';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { sendJson } from '../../src/http/reply.js';
import type { TlsFilesOptions } from '../../src/http/tls-files.js';
import { REPO_ROOT, tempFolder, until, type TempFolder } from '../support/start-gateway.js';
import { gate, get, rawClient, withServer, type Harness } from './harness.js';

const pem = (name: string): string => path.join(REPO_ROOT, 'test/fixtures/tls', name);

const hello = get((_req, res) => void sendJson(res, 200, { hello: true }));

/** A server whose files may be replaced. */
const withTls = async (
  test: (harness: Harness, folder: TempFolder) => Promise<void>,
  more: Partial<TlsFilesOptions> = {},
  { routes = hello, headersTimeoutMs = 60_000 } = {},
): Promise<void> => {
  const folder = await tempFolder();
  const certFile = path.join(folder.path, 'tls.pem');
  const keyFile = path.join(folder.path, 'tls.key');
  await copyFile(pem('first.pem'), certFile);
  await copyFile(pem('first.key'), keyFile);
  const tls = { ...{ certFile, keyFile, requireClientCert: false, minVersion: 'TLSv1.2' as const }, ...more };
  try {
    await withServer(routes, (harness) => test(harness, folder), { tls, headersTimeoutMs });
  } finally {
    await folder.remove();
  }
};

/** The name in the server's certificate. @throws what the handshake fails with */
const nameAt = (port: number, options: ConnectionOptions = {}): Promise<string> =>
  withSocket(port, options, (socket) => Promise.resolve(String(socket.getPeerCertificate().subject.CN)));

const withSocket = async <T>(
  port: number,
  options: ConnectionOptions,
  use: (socket: TLSSocket) => Promise<T>,
): Promise<T> => {
  const ca = await readFile(pem('ca.pem'));
  const socket = connect({ port, host: '127.0.0.1', ca, ...options });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve).once('error', reject);
    });
    return await use(socket);
  } finally {
    socket.on('error', () => undefined).destroy();
  }
};

const ask = async (port: number, client: ConnectionOptions = {}): Promise<string> => {
  const ca = await readFile(pem('ca.pem'));
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', path: '/x', ca, agent: false, ...client }, (res) => {
      let text = '';
      res.on('data', (chunk: Buffer) => (text += chunk.toString()));
      res.on('end', () => resolve(text));
    });
    asked.on('error', reject).end();
  });
};

describe('HTTPS', () => {
  it('is answered', () =>
    withTls(async ({ port, connections }) => {
      expect(await ask(port)).toBe('{"hello":true}');
      await until('nothing is left', () => connections() === 0);
    }));

  it('a new certificate is taken from its files, a broken one is not', () =>
    withTls(async ({ port, lines }, folder) => {
      const file = (name: string): string => path.join(folder.path, name);
      expect(await nameAt(port)).toBe('first');
      await writeFile(file('tls.pem'), 'no certificate at all');
      await until('it is told', () => lines.some(({ msg }) => msg === 'the certificate stays as it was'));
      expect(await nameAt(port)).toBe('first');
      // One after the other, as people do it: in between they do not fit together.
      await copyFile(pem('second.pem'), file('tls.pem'));
      await copyFile(pem('second.key'), file('tls.key'));
      await until('it is replaced', async () => (await nameAt(port)) === 'second');
      expect(await ask(port)).toBe('{"hello":true}');
    }));

  it('keeps to the lowest version, after a replacement too', () =>
    withTls(
      async ({ port }, folder) => {
        const old = { maxVersion: 'TLSv1.2' } as const;
        await expect(nameAt(port, old)).rejects.toThrow();
        await copyFile(pem('second.pem'), path.join(folder.path, 'tls.pem'));
        await copyFile(pem('second.key'), path.join(folder.path, 'tls.key'));
        await until('it is replaced', async () => (await nameAt(port)) === 'second');
        await expect(nameAt(port, old)).rejects.toThrow();
      },
      { minVersion: 'TLSv1.3' },
    ));

  it('asks for a certificate of the client where it must', () =>
    withTls(
      async ({ port, cuts }) => {
        const client = { cert: await readFile(pem('client.pem')), key: await readFile(pem('client.key')) };
        expect(await ask(port, client)).toBe('{"hello":true}');
        await expect(ask(port)).rejects.toThrow();
        expect(cuts).toContain('tls_handshake');
      },
      { requireClientCert: true, caFile: pem('ca.pem') },
    ));

  it('what is no TLS is cut off, and what stays silent too; neither counts as a request', () =>
    withTls(
      async ({ port, cuts, recorder, connections }) => {
        const plain = await rawClient(port, 'GET /x HTTP/1.1\r\nhost: x\r\n\r\n');
        await plain.closed();
        const silent = await rawClient(port);
        await silent.closed();
        await until('both are counted', () => cuts.length === 2);
        await until('neither is left', () => connections() === 0);
        expect([cuts, recorder.records]).toEqual([['tls_handshake', 'tls_handshake'], []]);
      },
      {},
      { headersTimeoutMs: 500 },
    ));

  it('closes gracefully: what is under way is answered, what is idle or in its handshake is closed', async () => {
    const held = gate();
    const begun = gate();
    const slow = get(async (_req, res) => {
      begun.open();
      await held.opened;
      sendJson(res, 200, { late: true });
    });
    await withTls(
      async ({ port, server, connections }) => {
        const answer = ask(port);
        await begun.opened;
        const shaking = connectPlain(port, '127.0.0.1').on('error', () => undefined);
        await until('both are there', () => connections() === 2);
        await withSocket(port, {}, async (idle) => {
          await until('three are there', () => connections() === 3);
          const closed = server.closeGracefully();
          idle.on('error', () => undefined).resume();
          await until('one is left', () => connections() === 1);
          held.open();
          expect(await answer).toBe('{"late":true}');
          await closed;
        });
        shaking.destroy();
      },
      {},
      { routes: slow },
    );
  });
});

describe('files that are of no use', () => {
  it('stop the start, and are named', async () => {
    await expect(withTls(() => Promise.resolve(), { keyFile: pem('second.key') })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      message: expect.stringContaining('second.key'),
    });
    await expect(withTls(() => Promise.resolve(), { certFile: '/no/such.pem' })).rejects.toThrow(
      '/no/such.pem',
    );
  });
});
