import type { StartReport } from '../gateway.js';
import type { Finding } from '../models/invariance/measure.js';
import type { Verification } from '../models/invariance/verify.js';
import { placeOf, shownDifference } from '../models/invariance/verdict.js';
import type { InvarianceClass } from '../models/model-info.js';
import { alignColumns, oneLine } from './model-line.js';

const WORDS: Record<InvarianceClass, string> = {
  any: 'any rows together',
  'equal-lengths': 'rows of equal length together',
  'one-by-one': 'one by one',
};

/** Lines that belong to the model above them. */
const INDENT = ' '.repeat(8);

/** A model's verdict, and under it a line for each output. */
export const verificationLines = (verification: Verification): string[] => {
  const { model, measured, tolerance, found, served, ok, reason } = verification;
  const head = `${(ok ? 'OK' : 'LEAKS').padEnd(INDENT.length)}${oneLine(model.name)}`;
  if (measured === undefined) {
    const { reason: why } = model.batch;
    return [
      `${head}  ${why === undefined ? 'no two rows ever ride together' : `served ${WORDS[served]}: ${oneLine(why)}`}`,
    ];
  }
  const short = measured.cutShort ? ', cut short by --seconds' : '';
  const rows = measured.outputs.map(({ name, equalLengths, padded }) => [
    oneLine(name),
    findingText(equalLengths),
    findingText(padded),
  ]);
  return [
    `${head}  invariant: ${WORDS[found]}; served: ${WORDS[served]} (${measured.runs} runs${short}; tolerance ${tolerance})`,
    ...alignColumns([['output', 'same length', 'padded'], ...rows]).map((line) => INDENT + line),
    ...(reason === undefined ? [] : [INDENT + oneLine(reason)]),
    ...(ok ? [] : [`${INDENT}to serve it right: ${adviceFor(found)}`]),
  ];
};

const adviceFor = (found: InvarianceClass): string =>
  `batchInvariance: enforce (${WORDS[found]}); composition: off where that does not find it at load`;

const findingText = (finding: Finding | undefined): string => {
  if (finding === undefined) return '-';
  // The reason below the table says what a problem is.
  const placed = finding.difference > 0 && finding.problem === undefined;
  return `${shownDifference(finding)}${placed ? ` (${placeOf(finding)})` : ''}`;
};

/** `{"ok", "models": [{"name", "ok", "invariant", "served", "tolerance", "runs", "outputs": […], "reason"}], "failed"}` */
export const verificationJson = (found: readonly Verification[], failed: StartReport['failed']): string =>
  JSON.stringify(
    { ok: failed.length === 0 && found.every(({ ok }) => ok), models: found.map(modelJson), failed },
    null,
    1,
  );

const modelJson = ({ model, measured, tolerance, found, served, ok, reason }: Verification): object => ({
  name: model.name,
  ok,
  invariant: found,
  served,
  tolerance,
  runs: measured?.runs ?? 0,
  cut_short: measured?.cutShort ?? false,
  outputs: (measured?.outputs ?? []).map(({ name, equalLengths, padded }) => ({
    name,
    equal_lengths: findingJson(equalLengths),
    padded: findingJson(padded),
  })),
  reason: reason ?? model.batch.reason ?? null,
});

const findingJson = (finding: Finding | undefined): object | null =>
  finding === undefined ? null : { ...finding, difference: shownDifference(finding) };
