import { expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { REPO_ROOT, startGateway } from '../support/start-gateway.js';

const CALL = /^curl localhost:8080(\/(?!v2)\S*) -H 'content-type: application\/json' -d '([^']+)'\n# (.*)/gm;

it('every call of the protocols for texts in docs/protocols.md gets the answer that stands there', async () => {
  const page = await readFile(path.join(REPO_ROOT, 'docs/protocols.md'), 'utf8');
  const calls = [...page.matchAll(CALL)];
  expect(calls).toHaveLength(5);
  const running = await startGateway();
  try {
    for (const [, at = '', body = '', answer = ''] of calls) {
      const { status, text } = await running.client.post(at, body);
      expect([at, status]).toEqual([at, 200]);
      // … stands for numbers.
      const pattern = answer.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '[-\\d.e]+');
      expect(text).toMatch(new RegExp(`^${pattern}$`));
    }
  } finally {
    await running.close();
  }
});
