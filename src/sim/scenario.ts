import { fixedLengths, lognormalLengths, seenLengths, type LengthLaw } from './lengths.js';
import { OptionError, parseList, parseNumber } from './numbers.js';
import type { MachineSpec } from './machine.js';
import { reportOn, type Report } from './report.js';
import { OURS, ruleNamed } from './rules.js';
import { coefficients, openKnobs, REGIMES } from './setting.js';
import { simulate } from './simulate.js';
import { parseTrace } from './trace-file.js';
import { burstyTrace, closedTrace, poissonTrace, withBulk, type SimRequest } from './traces.js';

/** One scenario, as the command line says it: every value a text, every default in `playScenario`. */
export interface SimulateOptions {
  /** Requests a second of an open loop. Default 100. */
  readonly rate?: string;
  /** `poisson` or `bursts` (4 times and 0.4 times the rate in turn). Default poisson. */
  readonly arrivals?: string;
  /** Closed loop with so many clients instead of `rate`. */
  readonly clients?: string;
  /** Mean think time of a client, milliseconds. Default 0. */
  readonly think?: string;
  /** `lognormal:MEDIAN,SIGMA[,MOST]`, `fixed:LENGTH` or `file`. Default lognormal:40,0.8. */
  readonly lengths?: string;
  /** Rows of every request. Default 1. */
  readonly rows?: string;
  /** `ALPHA_MS,BETA_MS,KNEE_TOKENS,QUAD`. Default the GPU-like regime: 3,0.004,0,2e-6. */
  readonly cost?: string;
  readonly lanes?: string;
  /**
   * `CORES,PARSE_MS,ANSWER_MS,SEND_MS`: cores that lanes, event loop and load generator share, and what a request takes of
   * the latter two. Default: a core for every lane, and nothing.
   */
  readonly machine?: string;
  /** Milliseconds. Default 50. */
  readonly slo?: string;
  /** Time that every request has, milliseconds; later it is late. Default: any. */
  readonly deadline?: string;
  /** `cost`, `none`, or a peer's: `fifo:32`, `timer:32,5`, `tokens:2048`, `slabs:16`, `buckets:32`, `bento:32`. */
  readonly rule?: string;
  readonly maxBatch?: string;
  /** `echoHoldMs`, milliseconds. Default 0: off. */
  readonly echoHold?: string;
  /** `ROWS,EVERY_MS`: a large request now and then. */
  readonly bulk?: string;
  readonly seed?: string;
  /** Default 20000. */
  readonly requests?: string;
}

/** @throws OptionError that says what was expected of an option, and what came */
export const playScenario = async (
  options: SimulateOptions,
  traceText?: string,
  lengthsText?: string,
): Promise<Report> => {
  const lanes = parseNumber('--lanes', options.lanes, 1);
  const sloMs = parseNumber('--slo', options.slo, REGIMES.gpu.sloMs);
  const maxBatch = parseNumber('--max-batch', options.maxBatch, 64);
  const lengths = lengthLaw(options.lengths ?? 'lognormal:40,0.8', lengthsText);
  const [alpha, beta, knee, quad] = parseList('--cost', options.cost ?? '3,0.004,0,2e-6', 4);
  const setting = {
    cost: coefficients(alpha, beta, knee, quad),
    basis: 'padded',
    lanes,
    sloMs,
    lengths,
    maxBatch,
  } as const;
  const { requests, clients } = traceOf(options, lengths, traceText);
  const outcome = await simulate({
    requests,
    ...(clients === undefined ? {} : { clients }),
    plan: ruleNamed(options.rule ?? OURS.name).make(),
    knobs: { ...openKnobs(setting), echoHoldMs: parseNumber('--echo-hold', options.echoHold, 0, 0) },
    lanes,
    basis: setting.basis,
    cost: setting.cost,
    ...(options.machine === undefined ? {} : { machine: machineSpec(options.machine) }),
    deadlineMs: parseNumber('--deadline', options.deadline, Infinity),
  });
  return reportOn(requests, outcome, { lanes, sloMs });
};

const machineSpec = (text: string): MachineSpec => {
  const [cores, parseMs, answerMs, sendMs] = parseList('--machine', text, 4);
  if (cores > 0) return { cores, parseMs, answerMs, sendMs };
  throw new OptionError(`--machine: expected a positive number of cores; found "${text}"`);
};

const traceOf = (
  options: SimulateOptions,
  lengths: LengthLaw,
  text: string | undefined,
): { readonly requests: readonly SimRequest[]; readonly clients?: number } => {
  if (text !== undefined) return { requests: parseTrace(text) };
  const seed = parseNumber('--seed', options.seed, 1);
  const shape = {
    requests: parseNumber('--requests', options.requests, 20_000),
    lengths,
    seed,
    rows: parseNumber('--rows', options.rows, 1),
  };
  if (options.clients !== undefined) {
    const thinkMs = parseNumber('--think', options.think, 0, 0);
    return { requests: closedTrace(shape, thinkMs), clients: parseNumber('--clients', options.clients, 1) };
  }
  const rate = parseNumber('--rate', options.rate, 100);
  const { arrivals = 'poisson' } = options;
  if (arrivals !== 'poisson' && arrivals !== 'bursts')
    throw new OptionError(`--arrivals: expected poisson or bursts; found "${arrivals}"`);
  const trace = arrivals === 'poisson' ? poissonTrace(shape, rate) : burstyTrace(shape, rate);
  if (options.bulk === undefined) return { requests: trace };
  const [rows, everyMs] = parseList('--bulk', options.bulk, 2);
  return { requests: withBulk(trace, { rows, everyMs, lengths, seed: seed + 1 }) };
};

/** @param file what stands in the file of `--lengths file` @throws OptionError that says what was expected, and what came */
export const lengthLaw = (text: string, file: string | undefined): LengthLaw => {
  const [kind, rest = ''] = text.split(':');
  if (kind === 'lognormal') {
    const [median, sigma, most] = parseList(
      '--lengths',
      rest.split(',').length === 3 ? rest : `${rest},512`,
      3,
    );
    return lognormalLengths(median, sigma, most);
  }
  if (kind === 'fixed') return fixedLengths(parseList('--lengths', rest, 1)[0]);
  if (kind === 'file' && file !== undefined)
    return seenLengths(
      file
        .split(/\s+/)
        .filter(Boolean)
        .map((word) => parseNumber('--lengths-file', word, 1)),
    );
  throw new OptionError(
    `--lengths: expected lognormal:MEDIAN,SIGMA[,MOST], fixed:LENGTH, or file with --lengths-file FILE; found "${text}"`,
  );
};
