import { expect } from '@jest/globals';
import type { HttpClient, Reply, Sending } from '../support/http-client.js';
import { FRAUD_CASES, SPAM_CASES } from './golden.js';

/** What is sent, by default as `POST /predict`, and what must come back. */
export interface Refusal extends Partial<Sending> {
  readonly status: number;
  readonly code: string;
  /** Part of it. */
  readonly message: string;
}

const TRACE = /\n\s+at |\bat \S+ \(|\.[jt]s:\d+|node_modules|node:internal/;

const expectGood = async (client: HttpClient): Promise<void> => {
  const spam = SPAM_CASES[0]!;
  const fraud = FRAUD_CASES[0]!;
  const [text, row] = await Promise.all([
    client.post('/predict', { texts: [spam.text] }),
    client.infer('fraud_detector', [fraud.input]),
  ]);
  expect([text.status, row.status]).toEqual([200, 200]);
  expect(text.body.predictions).toMatchObject([{ label: spam.label }]);
  expect(row.body.predictions).toEqual([fraud.label]);
  expect(row.body.confidence?.[0]).toBeCloseTo(fraud.probabilities[1], 4);
};

/** Sends it between good requests, all at once: it must be refused as it says, and the others must not notice. */
export const expectRefused = async (client: HttpClient, refusal: Refusal): Promise<Reply> => {
  const { status, code, message, ...sending } = refusal;
  const goodOnes = [expectGood(client)];
  const sent = client.send({ method: 'POST', path: '/predict', ...sending });
  goodOnes.push(expectGood(client));
  const reply = await sent;
  await Promise.all(goodOnes);

  const { error } = reply.body;
  expect([reply.status, error?.code]).toEqual([status, code]);
  expect(error?.message).toContain(message);
  expect(Object.keys(reply.body)).toEqual(['error']);
  expect(Object.keys(error ?? {})).toEqual(['code', 'message', 'requestId']);
  expect(error?.requestId).toMatch(/^[\w-]{8,}$/);
  expect(reply.headers['x-request-id']).toBe(error?.requestId);
  expect(reply.headers['content-type']).toBe('application/json');
  expect(reply.text).not.toMatch(TRACE);
  return reply;
};

const refusal =
  (status: number, code: string) =>
  (message: string, more: Partial<Refusal> = {}): Refusal => ({ status, code, message, ...more });

export const invalid = refusal(400, 'INVALID_REQUEST');
export const forbidden = refusal(403, 'FORBIDDEN');
export const notFound = refusal(404, 'NOT_FOUND');
export const noModel = refusal(404, 'MODEL_NOT_FOUND');
export const wrongMethod = refusal(405, 'METHOD_NOT_ALLOWED');
export const tooLarge = refusal(413, 'PAYLOAD_TOO_LARGE');
export const mediaType = refusal(415, 'UNSUPPORTED_MEDIA_TYPE');
export const tooLong = refusal(422, 'INPUT_TOO_LONG');
export const loadFailed = refusal(422, 'MODEL_LOAD_FAILED');
