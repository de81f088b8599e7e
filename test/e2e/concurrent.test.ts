import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HttpClient, type Reply } from '../support/http-client.js';
import { startGateway, until, type Running } from '../support/start-gateway.js';
import { seededRandom, seededTexts } from './golden.js';

const SEED = 20_241_121;
const TEXTS = 2_000;
const CLIENTS = 64;
/** Both sides are rounded to three decimals; the rest is binary fractions. */
const TOLERANCE = 1e-3 + 1e-9;
const KILL_EVERY_MS = 200;

interface Prediction {
  readonly label: string;
  readonly confidence: number;
}

const texts = seededTexts(TEXTS, SEED);
let alone: Prediction[] = [];

/** Checked: an answer of another form equals no prediction. */
const predictionOf = ({ body }: Reply): Prediction => body.predictions?.[0] as Prediction;

/** Every text is given once, each by one of the clients, who each wait for their answer before they go on. */
const askAll = async (url: string, onAnswer: () => void = () => undefined): Promise<Reply[]> => {
  const replies: Reply[] = [];
  let next = 0;
  const client = async (): Promise<void> => {
    const http = new HttpClient(url, 1);
    for (let at = next++; at < texts.length; at = next++) {
      replies[at] = await http.post('/predict', { texts: [texts[at]] });
      onAnswer();
    }
    http.close();
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return replies;
};

/** Text and answer of everything that is not as it was alone. */
const problems = (replies: readonly Reply[]): string[] =>
  texts.flatMap((text, i) => {
    const reply = replies[i];
    const expected = alone[i];
    if (reply?.status !== 200 || expected === undefined)
      return [`${reply?.status ?? 0}: ${reply?.text ?? ''}`];
    const { label, confidence } = predictionOf(reply);
    const isRight = label === expected.label && Math.abs(confidence - expected.confidence) <= TOLERANCE;
    return isRight ? [] : [`${JSON.stringify(text)}: ${reply.text}, alone ${JSON.stringify(expected)}`];
  });

const serve = (isolation: 'thread' | 'process', count = 2): Promise<Running> =>
  startGateway({ lanes: { isolation, count }, models: { load: ['spam'] } });

const restarts = ({ client }: Running): Promise<number> => client.metric('carpool_lane_restarts_total');

beforeAll(async () => {
  const running = await serve('thread');
  const http = new HttpClient(running.url, 1);
  alone = [];
  for (const text of texts) alone.push(predictionOf(await http.post('/predict', { texts: [text] })));
  const runs = await running.client.metric('carpool_batch_rows_count{model="spam"}');
  http.close();
  await running.close();
  // One run a text, or it would not be alone.
  expect(runs).toBe(TEXTS);
}, 60_000);

it('compares with something worth comparing', () => {
  expect(new Set(alone.map(({ label }) => label))).toEqual(new Set(['ham', 'spam']));
  expect(new Set(alone.map(({ confidence }) => confidence)).size).toBeGreaterThan(100);
});

describe.each(['thread', 'process'] as const)('%s lanes', (isolation) => {
  let running: Running;
  beforeAll(async () => {
    running = await serve(isolation);
  });
  afterAll(() => running.close());

  it('answer 2,000 texts of 64 clients as each of them alone', async () => {
    expect(problems(await askAll(running.url))).toEqual([]);
    const runs = await running.client.metric('carpool_batch_rows_count{model="spam"}');
    expect(runs).toBeLessThan(TEXTS * 0.6);
    expect(await restarts(running)).toBe(0);
  }, 60_000);
});

describe('process lanes that are killed', () => {
  let running: Running;
  beforeAll(async () => {
    running = await serve('process', 3);
  });
  afterAll(() => running.close());

  it('answer every text all the same, while one dies every 200 ms', async () => {
    const { gateway } = running;
    const random = seededRandom(SEED);
    const killed = new Set<number>();
    const killer = setInterval(() => {
      const pids = gateway.lanePids().filter((pid) => !killed.has(pid));
      // With the last one gone too, a batch could lose its lane three times in a row, which is taken for its own fault.
      if (pids.length < 2) return;
      const pid = pids[Math.floor(random() * pids.length)]!;
      killed.add(pid);
      process.kill(pid, 'SIGKILL');
    }, KILL_EVERY_MS);
    let replies: Reply[];
    try {
      replies = await askAll(running.url);
    } finally {
      clearInterval(killer);
    }
    expect(problems(replies)).toEqual([]);
    expect(killed.size).toBeGreaterThan(3);
    await until('all lanes back', () => gateway.lanePids().length === 3);
    expect(await restarts(running)).toBe(killed.size);
  }, 90_000);

  it('answer every text all the same, when all die at once', async () => {
    const { gateway } = running;
    let answers = 0;
    const replies = await askAll(running.url, () => {
      if (++answers !== TEXTS / 2) return;
      for (const pid of gateway.lanePids()) process.kill(pid, 'SIGKILL');
    });
    expect(problems(replies)).toEqual([]);
    await until('all lanes back', () => gateway.lanePids().length === 3);
  }, 60_000);
});
