import { fitCost, type CostCoefficients } from '#batcher';
import type { LaneLayout } from '../executor/cpu-quota.js';
import { clippedLengths, fixedLengths, type LengthLaw } from '../sim/lengths.js';
import type { Setting } from '../sim/setting.js';
import { ampleSloMs, capacitiesOf, capacityOf, type PlaySize } from './capacity.js';
import { configLines } from './config-lines.js';
import { gainsByLength, gainsByRows } from './gains.js';
import { candidateLayouts, layoutText } from './layouts.js';
import { unitOf, type Bench, type Measured, type TunedModel } from './measured.js';
import { chooseKnobs, chooseLayout, knobsReason, largerKnobs, layoutReason, msText } from './recommend.js';
import type { LayoutReport, Size, TuneReport } from './report.js';
import type { TimedShape } from '../models/run-log.js';

export interface TuneDeps {
  /** Cores that the process may use. */
  readonly cores: number;
  readonly open: (layout: LaneLayout) => Promise<Bench>;
  readonly onProgress: (step: string) => void;
  /** Size of the simulations; default as large as they need to be. */
  readonly play?: PlaySize;
}

export interface TuneOptions {
  /** Milliseconds. Default: the gateway's own, configured or `auto`. */
  readonly sloMs?: number;
  /** Time for measuring, of each layout. */
  readonly budgetMs: number;
  /** Of texts; cut at the model's longest. */
  readonly lengths: LengthLaw;
}

/** One layout, measured and fitted. */
interface Fitted extends Measured {
  readonly layout: LaneLayout;
  readonly cost: CostCoefficients;
  readonly error: number;
}

/**
 * Measures the model in every layout that the cores have room for, one after the other, and plays the batcher that serves
 * with what was measured.
 * @throws CarpoolError where the model can't be loaded or measured
 */
export const tune = async (options: TuneOptions, deps: TuneDeps): Promise<TuneReport> => {
  const all: Fitted[] = [];
  for (const layout of candidateLayouts(deps.cores)) all.push(await measureIn(layout, options, deps));
  const [first] = all;
  if (first === undefined) throw new RangeError('there is no layout to try');
  const { model } = first;
  const slo = sloOf(first, options);
  const lengths = lawOf(first, options);
  const settingFor = ({ cost, layout }: Pick<Fitted, 'cost' | 'layout'>, sloMs: number): Setting => {
    const { basis, maxBatch, maxBatchTokens } = model;
    return { cost, basis, lanes: layout.count, sloMs, lengths, maxBatch, maxBatchTokens };
  };
  const ampleMs = Math.max(...all.map((each) => ampleSloMs(settingFor(each, slo.ms))));
  const simulatedSloMs = Math.min(slo.ms, ampleMs);
  const { short, long } = sizesOf(all);

  const layouts: LayoutReport[] = [];
  for (const each of all) {
    const { layout, lone, busy, cost, error } = each;
    deps.onProgress(`${layoutText(layout)}: simulating`);
    const capacity = await capacitiesOf(settingFor(each, simulatedSloMs), deps.play);
    const alone = { loneShortMs: msOf(lone, short), loneLongMs: msOf(lone, long) };
    layouts.push({ layout, lone, busy, cost, error, ...alone, capacity });
  }
  const best = chooseLayout(layouts);
  deps.onProgress(`${layoutText(best.layout)}: simulating larger batches`);
  const now = { knobs: model, capacity: best.capacity.cost };
  const { knobs, capacity } = await chooseKnobs(now, largerKnobs(model), (larger) =>
    capacityOf({ ...settingFor(best, simulatedSloMs), ...larger }, deps.play),
  );
  const { maxBatch, maxBatchTokens } = knobs;
  const own = { layout: best.layout, knobs, ...(slo.from === 'auto' ? {} : { sloMs: slo.ms }) };
  const why = [
    layoutReason(best, layouts, `${unitOf(model)} within ${msText(simulatedSloMs)}`),
    knobsReason(now, { knobs, capacity }),
  ];
  return {
    model,
    cores: deps.cores,
    slo,
    simulatedSloMs,
    ...(model.takesTexts ? { lengths: lengths.name } : {}),
    short,
    long,
    layouts,
    gains: gainsIn(best, model, { maxBatch, capMs: slo.ms / 2 }),
    recommended: {
      layout: best.layout,
      maxBatch,
      maxBatchTokens,
      capacity,
      why: why.join(' ').trim(),
      yaml: configLines(model.name, own),
    },
  };
};

const measureIn = async (
  layout: LaneLayout,
  { budgetMs }: TuneOptions,
  { open, onProgress }: TuneDeps,
): Promise<Fitted> => {
  onProgress(`${layoutText(layout)}: loading`);
  const bench = await open(layout);
  try {
    onProgress(`${layoutText(layout)}: measuring for ${budgetMs / 1000} s`);
    const measured = await bench.measure(budgetMs);
    const samples = measured.busy.map((shape) => ({ shape, ms: shape.p50Ms }));
    const { coefficients, error } = fitCost(measured.model.basis, samples);
    return { ...measured, layout, cost: coefficients, error };
  } finally {
    await bench.close();
  }
};

const sloOf = ({ slo }: Fitted, { sloMs }: TuneOptions): TuneReport['slo'] =>
  sloMs === undefined ? { ms: slo.ms, from: slo.auto ? 'auto' : 'config' } : { ms: sloMs, from: 'option' };

const lawOf = ({ model, busy }: Fitted, { lengths }: TuneOptions): LengthLaw =>
  model.takesTexts ? clippedLengths(lengths, model.maxTokens) : fixedLengths(busy[0]?.longest ?? 1);

/** The smallest and the largest shape that was measured alone in every layout. */
const sizesOf = (all: readonly Fitted[]): { readonly short: Size; readonly long: Size } => {
  const [first, ...others] = all;
  const common = (first?.lone ?? []).filter((size) => others.every(({ lone }) => !isNaN(msOf(lone, size))));
  const [short] = common;
  const long = common.at(-1);
  if (short === undefined || long === undefined)
    throw new RangeError('no shape was measured in every layout');
  const sizeOf = ({ rows, longest }: Size): Size => ({ rows, longest });
  return { short: sizeOf(short), long: sizeOf(long) };
};

const msOf = (shapes: readonly TimedShape[], { rows, longest }: Size): number =>
  shapes.find((shape) => shape.rows === rows && shape.longest === longest)?.p50Ms ?? NaN;

const gainsIn = (
  { busy, cost }: LayoutReport,
  model: TunedModel,
  limits: Parameters<typeof gainsByLength>[3],
): TuneReport['gains'] =>
  model.takesTexts
    ? { byLength: gainsByLength(model, busy, cost, limits) }
    : { byRows: gainsByRows(model, busy, cost, limits) };
