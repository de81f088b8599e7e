import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { campaign } from '../hostile/campaign.js';
import { besiege, type Siege } from '../hostile/siege.js';
import { HttpClient } from '../support/http-client.js';
import { until } from '../support/start-gateway.js';

/** `node bench/hostile.mjs` sends 100,000. */
const REQUESTS = 1_000;
const SEED = 1;
const CLOSE_LIMIT_MS = 10_000;

let siege: Siege;
beforeAll(async () => {
  siege = await besiege();
}, 60_000);
afterAll(() => siege.raze());

describe(`${REQUESTS} hostile requests`, () => {
  it('are refused in the shape of their protocol, and good callers in between get their answers', async () => {
    const report = await campaign({
      ...siege,
      ...{ seed: SEED, from: 0, to: REQUESTS, clients: 8 },
    });
    expect(report.problems).toEqual([]);
    expect(report.goodAnswers).toBe(REQUESTS / 20);
    const { faults, lanesLost } = await siege.gateway.state();
    expect([faults, lanesLost]).toEqual([[], 0]);
    // Nothing is held for those who left: the one in flight is the question itself.
    const client = new HttpClient(`http://127.0.0.1:${siege.port}`);
    await until('nothing in flight', async () => (await client.metric('http_request_in_flight')) === 1);
    client.close();
    // They came in: refused by every protocol, and some of them taken.
    const seen = Object.keys(report.tally).join('\n');
    for (const kind of [
      'POST /predict: 400',
      'POST /embed: 422',
      'infer: 400',
      'gRPC',
      'broken off',
      'no HTTP: 400',
    ])
      expect(seen).toContain(kind);
    expect(await siege.end(CLOSE_LIMIT_MS)).toBe('drained, code 0');
  }, 180_000);
});
