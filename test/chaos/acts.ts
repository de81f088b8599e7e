import { badRequest, type BadRequest } from './bad-requests.js';
import { knownRequests, poisonousRequest, type Known } from './known-requests.js';
import type { SeededRandom } from './seeded-random.js';

type Topic = keyof typeof knownRequests;

/** What one client does next. */
export type Act =
  | {
      readonly kind: 'ask';
      readonly known: Known;
      /** Codes that are a clean end beside the right answer. */
      readonly allowed: readonly string[];
      /** Sends the body in so many pieces. */
      readonly pieces: number;
      readonly pauseMs: number;
    }
  | { readonly kind: 'bad'; readonly request: BadRequest }
  /** Sends half of the body and stays. */
  | { readonly kind: 'halfBody'; readonly known: Known }
  | {
      readonly kind: 'vanish';
      readonly known: Known;
      readonly when: 'beforeBody' | 'midBody' | 'halfClosed' | 'waiting' | 'whileAnswered';
      readonly afterMs: number;
    }
  | { readonly kind: 'look'; readonly path: string };

/** How often each is done, in a hundred. */
const ACTS = { ask: 58, hurry: 5, slowly: 4, poisonous: 3, bad: 13, halfBody: 1, vanish: 14, look: 2 };
const TOPICS: Readonly<Record<Topic, number>> = {
  spam: 56,
  fraud: 30,
  poison: 6,
  guest: 6,
  slow: 0.8,
  manyTexts: 0.6,
  manyRows: 0.6,
};
const VANISH = { beforeBody: 1, midBody: 2, halfClosed: 1, waiting: 5, whileAnswered: 2 };

/** A swap costs nobody an answer; the guest is unloaded now and then. */
const ALLOWED: Readonly<Record<Topic, readonly string[]>> = {
  spam: [],
  manyTexts: [],
  fraud: [],
  manyRows: [],
  poison: ['QUEUE_FULL'],
  slow: [],
  guest: ['MODEL_NOT_FOUND'],
};

/** Where lanes are killed nobody can tell who was guilty: see `MAX_LOSSES` in the batcher. */
export const LANES_LOST: readonly string[] = ['EXECUTION_FAILED', 'WORKER_LOST'];

const ask = (random: SeededRandom, topic = random.weighted(TOPICS)): Act & { readonly kind: 'ask' } => ({
  kind: 'ask',
  known: knownRequests[topic](random),
  allowed: ALLOWED[topic],
  pieces: 1,
  pauseMs: 0,
});

const withTimeout = (known: Known, timeoutMs: number): Known => ({
  ...known,
  body: JSON.stringify({ ...(JSON.parse(known.body) as object), timeoutMs }),
});

export const nextAct = (random: SeededRandom): Act => {
  const kind = random.weighted(ACTS);
  switch (kind) {
    case 'ask':
      return ask(random);
    case 'hurry': {
      const act = ask(random);
      const known = withTimeout(act.known, random.pick([0.5, 1, 2, 5, 10, 20]));
      // The door refuses what it expects to be late; what is late after all has its own code.
      return { ...act, known, allowed: [...act.allowed, 'QUEUE_FULL', 'DEADLINE_EXCEEDED'] };
    }
    case 'slowly':
      return { ...ask(random), pieces: random.between(2, 8), pauseMs: random.between(1, 40) };
    case 'poisonous':
      return {
        ...ask(random, 'poison'),
        known: poisonousRequest(random),
        allowed: ['EXECUTION_FAILED', 'QUEUE_FULL'],
      };
    case 'bad':
      return { kind, request: badRequest(random) };
    case 'halfBody':
      return { kind, known: knownRequests.spam(random) };
    case 'vanish': {
      const when = random.weighted(VANISH);
      // An answer has to be long to be cut off in the middle.
      const topic =
        when === 'whileAnswered'
          ? random.pick(['manyTexts', 'manyRows', 'manyRows', 'spam'] as const)
          : undefined;
      return { kind, known: ask(random, topic).known, when, afterMs: random.between(0, 30) };
    }
    case 'look':
      return {
        kind,
        path: random.pick(['/health', '/healthz', '/readyz', '/metrics', '/v1/models', '/v1/models/spam']),
      };
  }
};
