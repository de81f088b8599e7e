import { expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { OipClient } from '../support/oip-client.js';
import { REPO_ROOT, startGateway } from '../support/start-gateway.js';

const CALL = /^curl localhost:8080(\/v2\S+) (-H '([^:']+): ([^']+)' )?-d '([^']+)'.*\n(# (.*))?/gm;

it('every call in docs/protocols.md gets the answer that stands there', async () => {
  const page = await readFile(path.join(REPO_ROOT, 'docs/protocols.md'), 'utf8');
  const calls = [...page.matchAll(CALL)];
  expect(calls.length).toBe(3);
  const running = await startGateway();
  const client = new OipClient(running.url);
  try {
    for (const [, at = '', , header, value, body = '', , answer] of calls) {
      const { status, bytes } = await client.post(at, body, header === undefined ? {} : { [header]: value });
      expect(status).toBe(200);
      // … stands for numbers.
      const pattern = (answer ?? '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '[-\\d.e]+');
      expect(bytes.toString('latin1')).toMatch(new RegExp(`^${pattern}`));
    }
  } finally {
    client.close();
    await running.close();
  }
});
