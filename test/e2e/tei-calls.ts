import { expect } from '@jest/globals';
import type { Reply } from '../support/http-client.js';
import type { Running } from '../support/start-gateway.js';

export const json = ({ text }: Reply): unknown => JSON.parse(text);

export const post = async (running: Running, path: string, body: unknown): Promise<unknown> => {
  const reply = await running.client.post(path, body);
  expect([reply.status, reply.status === 200 ? '' : reply.text]).toEqual([200, '']);
  return json(reply);
};

export const refusal = async (running: Running, path: string, body: unknown): Promise<[number, unknown]> => {
  const reply = await running.client.post(path, body);
  return [reply.status, json(reply)];
};
