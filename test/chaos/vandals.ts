import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from './client.js';
import type { GatewayProcess } from './gateway-process.js';
import type { SeededRandom } from './seeded-random.js';
import { errorOf } from './verdict.js';

/** Runs until it is stopped; `stop` waits for what it is doing. */
export interface Vandal {
  stop(): Promise<void>;
  readonly tally: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
}

type Step = (tally: (what: string) => void) => Promise<string | undefined>;

const start = (random: SeededRandom, pauseMs: readonly [number, number], step: Step): Vandal => {
  const tally: Record<string, number> = {};
  const problems: string[] = [];
  const end = new AbortController();
  const run = async (): Promise<void> => {
    while (!end.signal.aborted) {
      const problem = await step((what) => (tally[what] = (tally[what] ?? 0) + 1));
      if (problem !== undefined) problems.push(problem);
      // Rejects when it is cut short.
      await pause(random.between(...pauseMs), undefined, { signal: end.signal }).catch(() => undefined);
    }
  };
  const done = run().catch((error: unknown) => void problems.push(String(error)));
  return {
    tally,
    problems,
    stop: () => {
      end.abort();
      return done;
    },
  };
};

/** Kills of one burst, and the pauses between them. */
const BURST = [1, 4] as const;
const BURST_PAUSE_MS = [20, 400] as const;

/**
 * Kills lanes in bursts. Before the next one all of them come back, and then have as long a peace as that took: however
 * slow the machine, work goes on. Usually one that works; where the system tells, sometimes one that is only starting.
 */
export const killLanes = (gateway: GatewayProcess, lanes: number, random: SeededRandom): Vandal => {
  let killsLeft = 0;
  let lastKillAt = performance.now();
  let peaceUntil: number | undefined;
  const isPeace = (lanesWorking: number): boolean => {
    if (killsLeft > 0) return false;
    if (lanesWorking < lanes) return true;
    const now = performance.now();
    peaceUntil ??= now + (now - lastKillAt);
    return now < peaceUntil;
  };
  return start(random, BURST_PAUSE_MS, async (tally) => {
    const { lanePids } = await gateway.state();
    if (isPeace(lanePids.length)) return undefined;
    const pids = random.next() < 0.2 ? childrenOf(gateway.pid, lanePids) : lanePids;
    if (pids.length === 0) return undefined;
    killsLeft = (killsLeft === 0 ? random.between(...BURST) : killsLeft) - 1;
    lastKillAt = performance.now();
    peaceUntil = undefined;
    const pid = random.pick(pids);
    try {
      process.kill(pid, 'SIGKILL');
      tally(lanePids.includes(pid) ? 'killed' : 'killed while starting');
    } catch {
      // It has ended since it was listed.
    }
    return undefined;
  });
};

/** Linux tells; elsewhere the lanes that work are all that is known. */
const childrenOf = (pid: number, fallback: readonly number[]): readonly number[] => {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return children === '' ? [] : children.split(' ').map(Number);
  } catch {
    return fallback;
  }
};

interface Change {
  readonly what: string;
  readonly method: 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: string;
  /** `200`, or the code of an error. */
  readonly allowed: readonly string[];
}

const load = (name: string, path: string, ...allowed: string[]): Change => ({
  what: `load ${path}`,
  method: 'POST',
  path: '/v1/models',
  body: JSON.stringify({ name, path }),
  allowed,
});

export const loadGuest = load('guest', 'guest_times', '200');

/** Loads, swaps, unloads and breaks models. */
export const changeModels = (port: number, random: SeededRandom, lanesDie: boolean): Vandal => {
  const client = new Client(port);
  // A lane that dies while a model is opened in it fails the load, and nothing else.
  const loaded = lanesDie ? ['200', 'MODEL_LOAD_FAILED'] : ['200'];
  const changes: readonly Change[] = [
    load('guest', 'guest_plus', ...loaded),
    load('guest', 'guest_times', ...loaded),
    load('fraud_detector', 'fraud_detector', ...loaded),
    load('broken', 'broken', 'MODEL_LOAD_FAILED'),
    load('guest', 'nothing_here', 'MODEL_LOAD_FAILED'),
    load('guest', 'guest_plus/../spam', 'INVALID_REQUEST'),
    {
      what: 'unload guest',
      method: 'DELETE',
      path: '/v1/models/guest',
      allowed: ['200', 'MODEL_NOT_FOUND'],
    },
  ];
  const vandal = start(random, [50, 300], async (tally) => {
    const change = random.pick(changes);
    const outcome = await client.request(change.method, change.path, change.body);
    if (outcome.kind !== 'answer') return `${change.what}: no answer: ${outcome.kind}`;
    const { answer } = outcome;
    const label = answer.status === 200 ? '200' : (errorOf(answer).code ?? String(answer.status));
    tally(`${change.what}: ${label}`);
    if (change.allowed.includes(label)) return undefined;
    return `${change.what}: expected ${change.allowed.join(' or ')}, got ${answer.status} ${answer.body.toString()}`;
  });
  return {
    ...vandal,
    stop: async () => {
      await vandal.stop();
      client.close();
    },
  };
};
