import { markdownTable } from '../sim/tables.js';
import type { Batch, LengthGain, RowsGain } from './gains.js';
import { layoutText } from './layouts.js';
import { unitOf } from './measured.js';
import { msText } from './recommend.js';
import type { LayoutReport, Size, TuneReport } from './report.js';

/** Above this mean error the fit, and with it the capacities, are no more than a hint. */
const LARGE_ERROR = 0.2;
/** Less than this is nothing. */
const WORTH = 1.05;

/** The report for people: what it is about, two Markdown tables, and the lines for config.yaml. */
export const reportText = (report: TuneReport): string =>
  [
    headline(report),
    '',
    ...gainsText(report),
    '',
    ...layoutsText(report),
    '',
    report.recommended.why,
    'Lanes are shared by all models of a gateway: tune the one that has most of the traffic. Lines for config.yaml:',
    '',
    report.recommended.yaml.trimEnd(),
  ].join('\n');

const SLO_FROM = { option: '--slo', config: 'as configured', auto: 'auto: ten lone runs of a long item' };

const headline = ({ model, cores, slo, lengths }: TuneReport): string => {
  const kind = model.takesTexts ? `texts of up to ${model.maxTokens} tokens` : 'rows';
  const law = lengths === undefined ? '' : ` · lengths simulated: ${lengths}`;
  return `${model.name}: ${kind} · ${cores} cores · SLO ${msText(slo.ms)} (${SLO_FROM[slo.from]})${law}`;
};

const gainsText = ({ model, gains, recommended, slo }: TuneReport): string[] => {
  if (model.reason !== undefined) return [`Rows are not joined: ${model.reason}`];
  const { byLength, byRows } = gains;
  const table =
    byLength === undefined
      ? markdownTable(['rows', 'ms', 'measured', 'by the fit'], (byRows ?? []).map(rowsLine))
      : markdownTable(['tokens', 'one text, ms', 'measured', 'by the fit'], byLength.map(lengthLine));
  return [
    `What batching is worth: throughput together ÷ one by one, in runs of at most ${msText(slo.ms / 2)} and ${recommended.maxBatch} rows`,
    `(${layoutText(recommended.layout)}, every lane busy)`,
    '',
    table,
  ];
};

const rowsLine = ({ rows, ms, gain, predicted }: RowsGain): string[] => [
  `${rows}`,
  ms.toFixed(3),
  times(gain),
  times(predicted),
];

const lengthLine = ({ length, oneMs, measured, predicted }: LengthGain): string[] => [
  `${length}`,
  oneMs?.toFixed(3) ?? 'not measured',
  measured === undefined ? 'not measured' : measuredText(measured),
  times(predicted.gain),
];

const measuredText = ({ rows, gain }: Batch): string =>
  gain < WORTH ? 'nothing' : `${times(gain)} with ${rows} rows`;

const layoutsText = (report: TuneReport): string[] => {
  const { model, layouts, short, long, slo, simulatedSloMs, recommended } = report;
  const capped = simulatedSloMs < slo.ms ? ` (${msText(slo.ms)} would hardly raise it)` : '';
  const head = [
    'lanes × threads',
    `alone, ${sizeText(short)}`,
    `alone, ${sizeText(long)}`,
    `capacity, ${unitOf(model)}`,
    '÷ no batching',
    '÷ fifo',
    'fit off by',
  ];
  const lines = layouts.map((each) => layoutLine(each, each.layout === recommended.layout));
  const scatter = layouts.some(({ error }) => error > LARGE_ERROR);
  return [
    `Capacity: what the lanes serve with p99 within ${msText(simulatedSloMs)}${capped}, simulated from the fit; HTTP and tokenizing not counted`,
    '',
    markdownTable(head, lines),
    ...(scatter
      ? ['', 'A fit is off by more than 20 %: is the machine busy? Its capacity is a hint only.']
      : []),
  ];
};

const layoutLine = (
  { layout, loneShortMs, loneLongMs, capacity, error }: LayoutReport,
  isBest: boolean,
): string[] => [
  `${layout.count} × ${layout.intraOpThreads}${isBest ? ' (best)' : ''}`,
  `${loneShortMs.toFixed(3)} ms`,
  `${loneLongMs.toFixed(3)} ms`,
  capacity.cost.toFixed(0),
  times(capacity.cost / capacity.none),
  `${times(capacity.cost / capacity.fifo)} (${capacity.fifoRule})`,
  `${(100 * error).toFixed(0)} %`,
];

const sizeText = ({ rows, longest }: Size): string => {
  if (longest > 1 && rows === 1) return `${longest} tokens`;
  return `${rows} row${rows === 1 ? '' : 's'}`;
};

/** Of capacities, both may be 0: nothing makes the SLO. */
const times = (value: number): string => (Number.isFinite(value) ? `${value.toFixed(2)}×` : '–');
