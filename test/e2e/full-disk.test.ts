import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import { HttpClient } from '../support/http-client.js';
import { SHIPPED_MODELS, startGateway, tempFolder, until } from '../support/start-gateway.js';
import { SPAM_CASES } from './golden.js';
import { MAIN } from './serve-child.js';

/** Every write to it fails with ENOSPC. */
const FULL = '/dev/full';
const onLinux = existsSync(FULL) ? describe : describe.skip;
const { text, label } = SPAM_CASES[0]!;

/** One that was free a moment ago. */
const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
};

onLinux('a full disk', () => {
  it.each(['json', 'pretty'] as const)(
    'under the log (%s) costs no answer, and no clean end',
    async (format) => {
      const folder = await tempFolder();
      const file = path.join(folder.path, 'config.yaml');
      await writeFile(
        file,
        stringify({
          server: { port: 0 },
          log: { format },
          lanes: { count: 1 },
          // Nothing is measured at the end of the test, and every request is logged.
          batching: { calibrate: 'off' },
          models: { root: SHIPPED_MODELS, cacheDir: path.join(folder.path, 'cache') },
        }),
      );
      const full = openSync(FULL, 'w');
      // Pretty lines and the banner share stdout: the port can't be read there.
      const port = await freePort();
      const child = spawn(process.execPath, [MAIN, 'serve', '--config', file], {
        env: { ...process.env, CARPOOL_PORT: String(port) },
        stdio: ['ignore', full, 'ignore'],
      });
      closeSync(full);
      const ended = once(child, 'exit');
      const client = new HttpClient(`http://127.0.0.1:${port}`);
      try {
        const isUp = (): Promise<boolean> =>
          client.get('/readyz').then(
            ({ status }) => status === 200,
            () => false,
          );
        await until('it serves', isUp, 25_000);
        for (let i = 0; i < 20; i++) {
          const { body } = await client.post('/predict', { texts: [text] });
          expect(body.predictions).toMatchObject([{ label }]);
        }
        child.kill('SIGTERM');
        expect(await ended).toEqual([0, null]);
      } finally {
        client.close();
        child.kill('SIGKILL');
        await folder.remove();
      }
    },
  );

  it('under the cache of costs costs no answer: they are measured, and used', async () => {
    const folder = await tempFolder();
    // What is written into it can't be kept, whatever the file is called.
    await symlink(FULL, path.join(folder.path, 'cache'));
    const running = await startGateway({
      batching: { calibrate: 'eager', calibrateBudgetMs: 50 },
      models: { root: SHIPPED_MODELS, load: ['spam'], cacheDir: path.join(folder.path, 'cache') },
    });
    try {
      const { body } = await running.client.post('/predict', { texts: [text] });
      expect(body.predictions).toMatchObject([{ label }]);
      expect((await running.client.get('/v1/models/spam')).text).toMatch(/"runs":[1-9]/);
    } finally {
      await running.close();
      await folder.remove();
    }
  });
});
