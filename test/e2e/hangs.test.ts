import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openThreadLink } from '../../src/executor/thread-link.js';
import { createGateway, type Gateway } from '../../src/gateway.js';
import { createSystemClock } from '../../src/telemetry/system-clock.js';
import { HttpClient, type Reply } from '../support/http-client.js';
import { SHIPPED_MODELS, until } from '../support/start-gateway.js';
import { FRAUD_CASES, SPAM_CASES } from './golden.js';

/** For a run that does not hang there is time enough on any machine. */
const LIMIT_MS = 3_000;
const PAUSE_MS = 600_000;

let gateway: Gateway;
let client: HttpClient;
/** By so much the gateway's clock is ahead of the machine's. */
let aheadMs = 0;

beforeAll(async () => {
  const after = (delayMs: number, fn: () => void): (() => void) => {
    const timer = setTimeout(fn, delayMs);
    return () => clearTimeout(timer);
  };
  gateway = createGateway(
    {
      server: { port: 0 },
      log: { level: 'silent' },
      lanes: {
        count: 1,
        ...{ runTimeoutMinMs: LIMIT_MS, runTimeoutFirstMs: LIMIT_MS, runTimeoutFactor: 1 },
        // Two hangs are not enough, three are.
        ...{ breakerLosses: 5, breakerPauseMs: PAUSE_MS, breakerWindowMs: PAUSE_MS },
      },
      // Held back a little, so that what is asked at once rides together.
      batching: { calibrate: 'off', maxWaitMs: 200, shedding: false },
      models: { root: SHIPPED_MODELS },
    },
    {
      openLane: openThreadLink(new URL('../support/hanging-worker.js', import.meta.url)),
      clock: createSystemClock({ now: () => performance.now() + aheadMs, after }),
    },
  );
  client = new HttpClient((await gateway.listen()).url);
});
afterAll(async () => {
  await until('all threads are back', () => !gateway.isRunning(), 30_000);
  client.close();
  await gateway.close();
});

const [good] = FRAUD_CASES;
const askGood = (): Promise<Reply> => client.infer('fraud_detector', [good!.input]);
/** Its run hangs for longer than it may take. */
const askHanging = (): Promise<Reply> =>
  client.infer('fraud_detector', [[6666, 3 * LIMIT_MS, ...new Array<number>(28).fill(0)]]);
const codeOf = ({ status, body }: Reply): string => [status, body.error?.code].filter(Boolean).join(' ');

describe('a run that hangs in a thread', () => {
  it('costs nobody else an answer; its own request gets 500, when it has hung alone', async () => {
    const replies = await Promise.all([askHanging(), askGood(), askGood()]);
    expect(replies.map(codeOf)).toEqual(['500 EXECUTION_FAILED', '200', '200']);
    expect(replies[1].body).toMatchObject({ predictions: [good!.label] });
    expect(await client.metric('carpool_lane_losses_total{model="fraud_detector",how="hung"}')).toBe(2);
    expect(await client.metric('carpool_lane_restarts_total')).toBe(2);
    expect((await client.get('/healthz')).status).toBe(200);
  });

  it('again and again takes the model out of service; others go on', async () => {
    const paused = await askHanging();
    expect(codeOf(paused)).toBe('503 MODEL_UNAVAILABLE');
    const refused = await askGood();
    expect([codeOf(refused), Number(refused.headers['retry-after'])]).toEqual([
      '503 MODEL_UNAVAILABLE',
      expect.any(Number),
    ]);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(PAUSE_MS / 2_000);
    expect(codeOf(await client.post('/predict', { texts: [SPAM_CASES[0]!.text] }))).toBe('200');

    expect((await client.get('/v1/models/fraud_detector')).text).toMatch(/"circuit":"open","ready":false/);
    expect(await client.metric('carpool_circuit_open{model="fraud_detector"}')).toBe(1);
    expect((await client.get('/v2/models/fraud_detector/ready')).status).toBe(503);
    expect((await client.get('/v2/models/spam/ready')).status).toBe(200);
    const { status, body } = await client.get('/readyz');
    expect([status, body.models]).toEqual([200, { fraud_detector: 'circuit_open', spam: 'ready' }]);
  });

  it('no more: when the pause is over, one request that is answered brings it back', async () => {
    aheadMs += 2 * PAUSE_MS;
    expect(codeOf(await askGood())).toBe('200');
    expect((await client.get('/v1/models/fraud_detector')).text).toMatch(/"circuit":"closed","ready":true/);
    expect(await client.metric('carpool_circuit_open{model="fraud_detector"}')).toBe(0);
  });
});
