import { describe, expect, it } from '@jest/globals';
import { Client } from './client.js';
import { GatewayProcess } from './gateway-process.js';
import { goldenRequests } from './known-requests.js';
import { chaosConfig, createModelRoot } from './model-root.js';
import { scrape, scrapeWhenQuiet } from './scrape.js';
import { SeededRandom } from './seeded-random.js';
import { storm } from './storm.js';
import { changeModels, killLanes, loadGuest } from './vandals.js';
import { judge } from './verdict.js';

/** Both may be set by hand: to bring a failed run back, and to shorten one. */
const SEED = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const REQUESTS = Number(process.env['CHAOS_REQUESTS'] ?? 10_000);
const CLIENTS = 64;
/** Most good requests, of all, that may end because they lose their lane again and again. */
const MAX_LANES_LOST = 0.002 * REQUESTS;
/** Killing stops after this, so that a slow machine gets done too. */
const KILL_FOR_MS = 60_000;
const QUIET_LIMIT_MS = 30_000;
const CLOSE_LIMIT_MS = 10_000;

/** Every golden case alone, each after the other. @returns those that were not answered right */
const wrongGoldens = async (client: Client): Promise<string[]> => {
  const wrong: string[] = [];
  for (const known of goldenRequests()) {
    const act = { kind: 'ask', known, allowed: [], pieces: 1, pauseMs: 0 } as const;
    const { problem } = judge(act, await client.perform(act));
    if (problem !== undefined) wrong.push(`${known.path} ${known.body.slice(0, 80)}: ${problem}`);
  }
  return wrong;
};

const weatherTheStorm = async (gateway: GatewayProcess, lanesDie: boolean): Promise<void> => {
  const { port } = gateway;
  const client = new Client(port);
  await client.request(loadGuest.method, loadGuest.path, loadGuest.body);
  expect(await wrongGoldens(client)).toEqual([]);
  const before = await scrapeWhenQuiet(client, QUIET_LIMIT_MS);

  const changes = changeModels(port, new SeededRandom(SEED + 1), lanesDie);
  const kills = lanesDie
    ? killLanes(gateway, before.lanes['idle'] ?? 0, new SeededRandom(SEED + 2))
    : undefined;
  const truce = setTimeout(() => void kills?.stop(), KILL_FOR_MS);
  const random = new SeededRandom(SEED);
  const startedAt = performance.now();
  const report = await storm({ port, requests: REQUESTS, clients: CLIENTS, random, lanesDie });
  const stormMs = performance.now() - startedAt;
  clearTimeout(truce);
  await Promise.all([kills?.stop(), changes.stop()]);
  const after = await scrapeWhenQuiet(client, QUIET_LIMIT_MS);
  const { lanesLost, tally } = report;
  if (process.env['CHAOS_SHOW'] !== undefined)
    console.info({ SEED, stormMs, ...tally, ...changes.tally, ...kills?.tally, lanesLost, after });

  // It still runs, and nothing in it has gone wrong unseen.
  expect(gateway.end).toBeUndefined();
  const state = await gateway.state();
  expect(state.faults).toEqual([]);
  // Each request that stayed had one end, and the right one.
  expect([...report.problems, ...changes.problems, ...(kills?.problems ?? [])]).toEqual([]);
  expect(lanesLost).toBeLessThanOrEqual(MAX_LANES_LOST);
  // Nothing is left over: no row, no request, no lane.
  expect(after).toMatchObject({ queueRows: 0, inFlight: 0, lanes: before.lanes });
  // Still right?
  expect(await wrongGoldens(client)).toEqual([]);
  // It was a storm.
  expect(tally['ask 200']).toBeGreaterThan(REQUESTS / 2);
  const rare = ['halfBody BODY_TIMEOUT', 'ask DEADLINE_EXCEEDED', 'ask EXECUTION_FAILED', 'vanish left'];
  expect(Object.keys(tally)).toEqual(expect.arrayContaining(rare));
  expect(changes.tally['load fraud_detector: 200']).toBeGreaterThan(0);
  if (kills !== undefined) {
    expect(kills.tally['killed']).toBeGreaterThan(REQUESTS / 2_500);
    expect((await scrape(client)).laneRestarts).toBeGreaterThan(0);
  }

  client.close();
  expect(await gateway.close(CLOSE_LIMIT_MS)).toBe('drained, code 0');
};

describe(`${REQUESTS} requests of ${CLIENTS} clients, good, bad and gone, while models are loaded, swapped and unloaded`, () => {
  const cases = [
    { isolation: 'process', lanesDie: true, title: 'process lanes, killed in bursts' },
    { isolation: 'thread', lanesDie: false, title: 'thread lanes' },
  ] as const;
  it.each(cases)('$title', async ({ isolation, lanesDie }) => {
    const models = createModelRoot();
    const gateway = await GatewayProcess.start(chaosConfig(models.root, isolation));
    try {
      await weatherTheStorm(gateway, lanesDie);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`CHAOS_SEED=${SEED}: ${message}`, { cause: error });
    } finally {
      gateway.kill();
      models.remove();
    }
  });
});
