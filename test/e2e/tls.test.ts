import { describe, expect, it } from '@jest/globals';
import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import path from 'node:path';
import { loadConfig } from '../../src/config/load.js';
import { createGateway } from '../../src/gateway.js';
import { REPO_ROOT, startGateway, tempFolder } from '../support/start-gateway.js';

const FOLDER = path.join(REPO_ROOT, 'test/fixtures/tls');

const get = async (url: string): Promise<string> => {
  const ca = await readFile(path.join(FOLDER, 'ca.pem'));
  return new Promise((resolve, reject) => {
    const asked = request(url, { ca, agent: false }, (res) => {
      let text = '';
      res.on('data', (chunk: Buffer) => (text += chunk.toString()));
      res.on('end', () => resolve(text));
    });
    asked.on('error', reject).end();
  });
};

const TLS = { certFile: path.join(FOLDER, 'first.pem'), keyFile: path.join(FOLDER, 'first.key') };

describe('server.tls', () => {
  it('serves HTTPS, says so, and drains', async () => {
    const running = await startGateway({
      server: { host: '127.0.0.1', port: 0, tls: TLS },
      models: { load: ['fraud_detector'] },
    });
    expect(running.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(await get(`${running.url}/healthz`)).toBe('{"status":"ok"}');
    expect(await get(`${running.url}/metrics`)).toMatch(/^carpool_connections 1$/m);
    expect(await running.close()).toBe('drained');
  });

  it('paths are relative to the config file', async () => {
    const folder = await tempFolder();
    const file = path.join(folder.path, 'config.yaml');
    await writeFile(file, 'server: {tls: {certFile: a/tls.crt, keyFile: tls.key}}\n');
    const { tls } = loadConfig({ file, env: {} }).config.server;
    expect(tls).toMatchObject({
      certFile: path.join(folder.path, 'a/tls.crt'),
      keyFile: path.join(folder.path, 'tls.key'),
      minVersion: 'TLSv1.2',
    });
    await folder.remove();
  });

  it('a certificate that is not there stops the start, by name', async () => {
    const gateway = createGateway({
      ...{ log: { level: 'silent' }, lanes: { count: 1 }, models: { load: [] } },
      server: { port: 0, tls: { ...TLS, certFile: '/no/such.pem' } },
    });
    await expect(gateway.listen()).rejects.toThrow('server.tls: expected a certificate in /no/such.pem');
    await gateway.close();
  });

  it.each([
    [{ server: { tls: { certFile: 'a' } } }, 'server.tls'],
    [{ server: { tls: { ...TLS, requireClientCert: true } } }, 'server.tls'],
    [{ server: { trustProxy: ['proxy.example.com'] } }, 'server.trustProxy'],
    [{ server: { cors: { origins: ['app.example.com'] } } }, 'server.cors.origins'],
    [{ limits: { redisUrl: 'cache:6379' } }, 'limits.redisUrl'],
    [{ limits: { requestsPerHour: 1 } }, 'limits.requestsPerHour'],
  ])('%j is refused', (config, key) => {
    expect(() => createGateway(config)).toThrow(key);
  });
});
