import { verdictsOn } from './goals.js';
import type { Report } from './report.js';
import type { Cell, SuiteResult } from './suite.js';

/** Columns padded to their widest cell. */
const table = (rows: readonly (readonly string[])[]): string => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`).join('\n');
};

export const markdownTable = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  table([head, head.map((name) => '-'.repeat(name.length)), ...rows]);

const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
const times = (value: number): string => `${value.toFixed(2)}×`;

export const reportTable = (report: Report): string =>
  markdownTable(
    ['quantity', 'value'],
    [
      ['requests', `${report.requests}`],
      ['served · refused · late', `${report.served} · ${report.refused} · ${report.late}`],
      ['p50 · p99', `${report.p50Ms.toFixed(2)} · ${report.p99Ms.toFixed(2)} ms`],
      ['answered in time', `${report.requestsPerS.toFixed(1)} requests/s`],
      ['goodput', `${report.tokenGoodputPerS.toFixed(0)} tokens/s`],
      ['served of short · long half', `${percent(report.shortServed)} · ${percent(report.longServed)}`],
      ['padding waste', percent(report.waste)],
      ['mean batch', report.meanBatch.toFixed(2)],
      ['lanes busy', percent(report.utilisation)],
    ],
  );

const nameOf = ({ regime, law }: Cell): string => `${regime}, ${law}`;

/** The suite as three Markdown tables: capacities, the goals cell by cell, and the simulator's own speed. */
export const suiteTables = ({ cells, requests, seconds }: SuiteResult): string => {
  const capacities = cells.map((cell) => [
    nameOf(cell),
    cell.r.toFixed(2),
    cell.capacity.toFixed(0),
    percent(cell.capacity / cell.offline),
    percent(cell.capacity / cell.bestLimits),
    times(cell.capacity / cell.noBatching),
    ...bestPeer(cell),
    percent(cell.waste),
    cell.meanBatch.toFixed(1),
  ]);
  const peers = cells.map((cell) => [
    nameOf(cell),
    ...[...cell.peers]
      .sort((a, b) => a.rule.localeCompare(b.rule))
      .map(({ rule, capacity }) => `${rule} ${capacity.toFixed(0)}`),
  ]);
  const verdicts = cells.flatMap((cell) =>
    verdictsOn(cell).map(({ goal, value, pass }) => [
      nameOf(cell),
      goal,
      value.toFixed(3),
      pass ? 'pass' : 'SHORT',
    ]),
  );
  const families = cells[0]?.peers.map(({ rule }) => rule.split(':')[0] ?? rule).sort() ?? [];
  return [
    'Capacity at the SLO, requests a second (p99 within the SLO, nothing shed), and what it is of others',
    '',
    markdownTable(
      [
        'setting',
        'r',
        'capacity',
        '÷ offline',
        '÷ best limits',
        '÷ none',
        '÷ best peer',
        'best peer',
        'waste',
        'batch',
      ],
      capacities,
    ),
    '',
    'Peers with their best parameters',
    '',
    markdownTable(['setting', ...families], peers),
    '',
    'Goals',
    '',
    markdownTable(['setting', 'goal', 'value', 'verdict'], verdicts),
    '',
    `${requests} requests simulated in ${seconds.toFixed(0)} s, ${(requests / seconds).toFixed(0)} a second`,
  ].join('\n');
};

const bestPeer = ({ peers, capacity }: Cell): [string, string] => {
  const [best] = peers;
  return best === undefined ? ['', ''] : [times(capacity / best.capacity), best.rule];
};
