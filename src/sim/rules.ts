import { OptionError } from './numbers.js';
import { areaOf, costMs, planCost, type PlanFn } from '#batcher';
import {
  bentoFit,
  fifo,
  noBatching,
  sortedSlabs,
  staticBuckets,
  timerWindow,
  tokenBudget,
} from './peer-rules.js';

/** A rule of composition under a name that a command line can say; some remember, so each play makes its own. */
export interface Rule {
  readonly name: string;
  readonly make: () => PlanFn;
}

export const OURS: Rule = { name: 'cost', make: () => planCost };
export const NO_BATCHING: Rule = { name: 'none', make: () => noBatching };

const FAMILIES: Readonly<
  Record<string, { usage: string; make: (...n: number[]) => PlanFn; params: number }>
> = {
  fifo: { usage: 'fifo:ROWS', params: 1, make: (rows = 1) => fifo(rows) },
  timer: {
    usage: 'timer:ROWS,WAIT_MS',
    params: 2,
    make: (rows = 1, waitMs = 0) => timerWindow(rows, waitMs),
  },
  tokens: { usage: 'tokens:BUDGET', params: 1, make: (tokens = 1) => tokenBudget(tokens) },
  slabs: { usage: 'slabs:ROWS', params: 1, make: (rows = 1) => sortedSlabs(rows) },
  buckets: { usage: 'buckets:ROWS', params: 1, make: (rows = 1) => staticBuckets(rows) },
  bento: {
    usage: 'bento:ROWS',
    params: 1,
    make: (rows = 1) =>
      bentoFit(rows, (group, { cost }) =>
        costMs(cost.coefficients, areaOf(cost.basis, group), group.longest),
      ),
  },
};

/** @throws OptionError that lists the rules there are */
export const ruleNamed = (name: string): Rule => {
  if (name === OURS.name) return OURS;
  if (name === NO_BATCHING.name) return NO_BATCHING;
  const [kind = '', rest = ''] = name.split(':');
  const family = FAMILIES[kind];
  const numbers = rest.split(',').map(Number);
  if (family === undefined || numbers.length !== family.params || !numbers.every((n) => n > 0))
    throw new OptionError(
      `--rule: expected cost, none, ${Object.values(FAMILIES)
        .map(({ usage }) => usage)
        .join(', ')}; found "${name}"`,
    );
  return { name, make: () => family.make(...numbers) };
};

const SIZES: readonly number[] = [2, 4, 8, 16, 32, 64];

const WAITS_MS: readonly number[] = [1, 2, 5, 10, 20];

/** The peers and the parameters that are tried for each of them; the best one counts. */
export const PEERS: Readonly<Record<string, readonly string[]>> = {
  fifo: SIZES.map((size) => `fifo:${size}`),
  timer: SIZES.flatMap((size) => WAITS_MS.map((waitMs) => `timer:${size},${waitMs}`)),
  tokens: [64, 128, 256, 512, 1024, 2048, 4096, 8192].map((tokens) => `tokens:${tokens}`),
  slabs: SIZES.map((size) => `slabs:${size}`),
  buckets: SIZES.map((size) => `buckets:${size}`),
  bento: SIZES.map((size) => `bento:${size}`),
};
