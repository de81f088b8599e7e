import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { REPO_ROOT, startGateway, type Running } from '../support/start-gateway.js';

const README = readFileSync(path.join(REPO_ROOT, 'README.md'), 'utf8');

/** Every `sh` block with one curl that is followed by its answer. */
const EXAMPLES = [...README.matchAll(/```sh\ncurl (.*?)```\n```json\n(.*?)\n```/gs)].map(
  ([, command = '', answer = '']) => ({ command, answer }),
);

const OF_THE_MOMENT = /"(loaded_at|requestId)":"[^"]*"/g;
/**
 * Rounded: another CPU's last digit may differ. What runs cost is measured on each machine, and how many there were in
 * the time for it.
 */
const rounded = (key: string, value: unknown): unknown => {
  if (key === 'cut_short') return undefined;
  if (key === 'cost' || key === 'runs' || key === 'created') return '…';
  return typeof value === 'number' ? Number(value.toFixed(4)) : value;
};
const settled = (text: string): unknown => JSON.parse(text.replace(OF_THE_MOMENT, '"$1":"…"'), rounded);

describe('README.md', () => {
  let running: Running;
  beforeAll(async () => {
    running = await startGateway({ models: { default: 'spam' }, batching: { calibrate: 'idle' } });
  });
  afterAll(() => running.close());

  it('shows an answer of each endpoint', () => {
    const commands = EXAMPLES.map(({ command }) => command).join('\n');
    for (const endpoint of [
      '/predict',
      '/health ',
      '/healthz',
      '/readyz',
      '/v1/models ',
      '/infer',
      '-X DELETE',
    ])
      expect(`${commands.replaceAll('\n', ' ')} `).toContain(endpoint);
  });

  // In the order of the page: a model is loaded before it is unloaded.
  it.each(EXAMPLES)('curl $command', async ({ command, answer }) => {
    const target = /http:\/\/127\.0\.0\.1:8080(\S+)/.exec(command)?.[1] ?? '';
    const body = /-d '(.*)'/s.exec(command)?.[1];
    const method = /-X (\w+)/.exec(command)?.[1] ?? (body === undefined ? 'GET' : 'POST');
    const reply = await running.client.send({ method, path: target, body });
    expect(settled(reply.text)).toEqual(settled(answer));
  });
});
