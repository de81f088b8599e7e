import { describe, expect, it } from '@jest/globals';
import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { hashOfKey, newKey } from '../../src/access/key-hash.js';
import { startGateway, tempFolder, until } from '../support/start-gateway.js';
import { rolesInput } from './support.js';

describe('keys that change under traffic', () => {
  it('come and go without a request of the others failing', async () => {
    const folder = await tempFolder();
    const file = path.join(folder.path, 'keys.yaml');
    const [steady, old, fresh] = [newKey(), newKey(), newKey()];
    const write = async (...keys: readonly string[]): Promise<void> => {
      const lines = keys.map((key) => `  - { name: n, hash: '${hashOfKey(key)}', roles: [infer] }\n`);
      await writeFile(`${file}.new`, `keys:\n${lines.join('')}`);
      await rename(`${file}.new`, file);
    };
    await write(steady, old);
    const running = await startGateway({ access: { roles: rolesInput(), keysFile: file } });
    const statusWith = async (key: string): Promise<number> => {
      const headers = { authorization: `Bearer ${key}` };
      const body = { texts: ['hello'] };
      return (await running.client.send({ method: 'POST', path: '/predict', body, headers })).status;
    };
    const statuses = new Map<number, number>();
    let isOver = false;
    const traffic = Array.from({ length: 4 }, async () => {
      while (!isOver) {
        const status = await statusWith(steady);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    });
    try {
      expect([await statusWith(old), await statusWith(fresh)]).toEqual([200, 401]);
      await write(steady, old, fresh);
      await until('the new key is good', async () => (await statusWith(fresh)) === 200);
      expect(await statusWith(old)).toBe(200);
      await write(steady, fresh);
      await until('the old key is no longer good', async () => (await statusWith(old)) === 401);
      await writeFile(file, 'keys: [');
      const stillOldAt = performance.now() + 1500;
      while (performance.now() < stillOldAt) expect(await statusWith(fresh)).toBe(200);
      await write(steady, old);
      await until('the file is good again', async () => (await statusWith(old)) === 200);
      expect(await statusWith(fresh)).toBe(401);
    } finally {
      isOver = true;
      await Promise.all(traffic);
      await running.close();
      await folder.remove();
    }
    expect([...statuses.keys()]).toEqual([200]);
    expect(statuses.get(200)).toBeGreaterThan(20);
  });
});
