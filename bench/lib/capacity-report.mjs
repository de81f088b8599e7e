import { report, table } from './report.mjs';
import { median } from './stats.mjs';

const GOAL_OFF = 0.98;
const GOAL_FIFO = 1.5;
const GOAL_PREDICTION = 0.1;

const rate = (value) => (value >= 100 ? Math.round(value) : Math.round(value * 10) / 10);
const times = (value) => `${value.toFixed(2)}×`;
const spread = (values) =>
  `${times(median(values))} (${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)})`;
/** NaN and Infinity: one of the two held the SLO at no rate, which says more of the machine than of either. */
const verdictOf = (value, isMet) => {
  if (!(value > 0 && value < Infinity)) return 'NOT MEASURED';
  return isMet ? 'met' : 'SHORT';
};

/** Tables and verdicts of bench/capacity.mjs. */
export const capacityReport = ({ name, about, options, rounds, seconds, cells, failures }) => {
  const find = (model, mix, arm) =>
    cells.find((cell) => cell.model === model && cell.mix === mix && cell.arm === arm);
  const ours = cells.filter(({ arm }) => arm === 'cost');
  /** Round by round: the same trace, a moment apart. */
  const ratios = (cell, arm) => {
    const other = find(cell.model, cell.mix, arm);
    return other === undefined ? undefined : cell.rates.map((value, i) => value / other.rates[i]);
  };

  const capacities = ours.map((cell) => {
    const { model, mix, sloMs, requests } = cell;
    const [off, fifo] = ['off', 'fifo'].map((arm) => ratios(cell, arm));
    const of = (arm) => rate(find(model, mix, arm)?.capacity ?? NaN);
    return {
      'model, mix': `${model}, ${mix}`,
      'SLO ms': sloMs,
      'requests a probe': requests,
      'cost /s': of('cost'),
      'off /s': of('off'),
      'fifo /s': of('fifo'),
      'cost ÷ off': off === undefined ? '-' : spread(off),
      'cost ÷ fifo': fifo === undefined ? '-' : spread(fifo),
    };
  });
  const predictions = cells.map(({ model, mix, arm, capacity, predicted }) => ({
    'model, mix, arm': `${model}, ${mix}, ${arm}`,
    'measured /s': rate(capacity),
    'fit of the idle machine /s': rate(predicted.idle),
    'measured ÷ it': times(capacity / predicted.idle),
    'the same, HTTP on the same cores /s': rate(predicted.withHttp),
    'measured ÷ that': times(capacity / predicted.withHttp),
    'fit in service /s': rate(predicted.inService),
    'measured ÷ this': times(capacity / predicted.inService),
    'idle fit, long runs /s': rate(predicted.idleLongRun),
  }));
  const shares = cells.flatMap(({ model, mix, arm, work, probes, capacity }) => {
    const best = probes.filter(({ holds }) => holds).sort((a, b) => b.ratePerS - a.ratePerS)[0];
    if (best === undefined) return [];
    const { times: cpu, ms, counts } = best;
    return {
      'model, mix, arm': `${model}, ${mix}, ${arm}`,
      'lanes at work µs a request': Math.round(work.lanesMs * 1000),
      'event loop µs': Math.round(work.loopMs * 1000),
      'its other threads µs': Math.round(work.otherMs * 1000),
      'load generator µs': Math.round(work.loadMs * 1000),
      'all of it, of the cores': `${(((work.lanesMs + work.overheadMs) * capacity) / 10 / about.cores).toFixed(0)} %`,
      'event loop at work': `${((100 * cpu.loopMs) / ms).toFixed(0)} %`,
      'lanes waited for a core': `${((100 * cpu.lanesWaitedMs) / (cpu.lanesMs + cpu.lanesWaitedMs)).toFixed(0)} %`,
      'rows a run': Math.round((100 * counts.rows) / counts.runs) / 100,
      padding: `${(100 * (1 - counts.tokens / counts.paddedTokens)).toFixed(0)} %`,
      'sent late, p99 ms': best.sendLagP99,
    };
  });
  const costs = cells.flatMap(({ model, mix, arm, idleCost, servedCost }) => [
    ...(arm === 'cost'
      ? [{ 'model, mix, arm': `${model}, ${mix}, before traffic`, ...costRow(idleCost) }]
      : []),
    { 'model, mix, arm': `${model}, ${mix}, after ${arm}`, ...costRow(servedCost) },
  ]);

  const verdicts = ours.flatMap((cell) => {
    const where = `${cell.model}, ${cell.mix}`;
    const [off, fifo] = ['off', 'fifo'].map((arm) => ratios(cell, arm));
    const errors = Object.entries({
      'fit of the idle machine': cell.predicted.idle,
      'with HTTP on the same cores': cell.predicted.withHttp,
      'fit in service': cell.predicted.inService,
    }).map(
      ([what, value]) =>
        `${what} ${times(cell.capacity / value)} ${verdictOf(cell.capacity / value, Math.abs(cell.capacity / value - 1) <= GOAL_PREDICTION)}`,
    );
    return [
      ...(off === undefined
        ? []
        : [
            `${where}: ≥ ${GOAL_OFF} of no batching: ${times(median(off))} ${verdictOf(median(off), median(off) >= GOAL_OFF)}`,
          ]),
      ...(fifo === undefined || cell.mix !== 'mixed'
        ? []
        : [
            `${where}: ≥ ${GOAL_FIFO} of FIFO: ${times(median(fifo))} ${verdictOf(median(fifo), median(fifo) >= GOAL_FIFO)}`,
          ]),
      `${where}: within ${GOAL_PREDICTION * 100} % of the simulator: ${errors.join(', ')}`,
    ];
  });
  const doubt = about.loadBefore > 0.5 ? ['the machine was busy before: repeat on a quiet one'] : [];

  report({
    name,
    title: 'Capacity at the SLO, open loop',
    machine: about,
    sections: [
      [
        `Requests a second with p99 ≤ SLO and nothing refused; medians of ${rounds} rounds, about ${seconds} s a probe at capacity; ratios round by round, median (least to most)`,
        table(capacities),
      ],
      [
        'Against the simulator: the same traces through the same plan, on a virtual clock',
        `${table(predictions)}\n\n“HTTP on the same cores”: the simulator shares the cores out among lanes, event loop and load generator, with the CPU time a request that is measured below. “Fit in service”: the coefficients after the last probe, in which the gateway has learnt what contention does to its runs.`,
      ],
      ['Where the time goes, at the highest rate that held', table(shares)],
      ['Fitted cost: ms, ms a token, tokens, ms a token²', table(costs)],
      [
        'Goals',
        [...verdicts, ...failures.map((failure) => `NOT MEASURED ${failure}`), ...doubt]
          .map((line) => `- ${line}`)
          .join('\n'),
      ],
    ],
    data: { options, rounds, seconds, cells, failures },
    isDry: options.dry,
  });
};

const costRow = (cost) => ({
  alpha: cost.alpha_ms,
  beta: cost.beta_ms_per_token,
  knee: cost.knee_tokens,
  quad: cost.quad_ms_per_token_squared.toExponential(2),
  error: cost.error,
  runs: cost.runs,
});
