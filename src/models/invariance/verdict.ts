import type { BatchMode, Difference, Invariance, InvarianceClass } from '../model-info.js';
import type { Finding, Measured, MeasuredOutput } from './measure.js';

/** The largest class of neighbours in which every output stays within the tolerance. */
export const classOf = ({ outputs }: Measured, tolerance: number): InvarianceClass => {
  if (outputs.some(({ equalLengths }) => leaks(equalLengths, tolerance))) return 'one-by-one';
  return outputs.some(({ padded }) => leaks(padded, tolerance)) ? 'equal-lengths' : 'any';
};

const leaks = (finding: Finding | undefined, tolerance: number): boolean =>
  finding !== undefined && finding.difference > tolerance;

/**
 * How a model is served whose rows may be joined by the shape of it.
 *
 *   any              as its shape says
 *   equal-lengths    the same, but only texts of equal length ride together
 *   one-by-one       nothing rides together: a request of tensors runs whole, texts run one at a time
 *
 * @param mode `dynamic` or `fixed`
 */
export const modeAfter = (
  mode: BatchMode,
  measured: Measured,
  {
    tolerance,
    enforced,
    isText,
  }: { readonly tolerance: number; readonly enforced: boolean; readonly isText: boolean },
): BatchMode => {
  const cls = classOf(measured, tolerance);
  const invariance: Invariance = {
    class: cls,
    enforced,
    tolerance,
    runs: measured.runs,
    ...(measured.cutShort ? { cutShort: true } : {}),
    outputs: measured.outputs.map(({ name, equalLengths, padded }) => ({
      name,
      equalLengths: shown(equalLengths),
      padded: shown(padded),
    })),
  };
  if (cls === 'any') return { ...mode, invariance };
  const reason = reasonOf(measured, cls, tolerance);
  // A text can't fill a fixed batch by itself: the lane goes on filling it up with copies of the text.
  const whole = enforced && cls === 'one-by-one' && !(isText && mode.mode === 'fixed');
  return whole ? { mode: 'single', reason, invariance } : { ...mode, reason, invariance };
};

/** Why the next larger class will not do, in words. */
export const reasonOf = ({ outputs }: Measured, cls: InvarianceClass, tolerance: number): string => {
  const kind = cls === 'one-by-one' ? 'equalLengths' : 'padded';
  const worst = outputs.reduce<MeasuredOutput | undefined>(
    (most, output) => ((output[kind]?.difference ?? -1) > (most?.[kind]?.difference ?? -1) ? output : most),
    undefined,
  );
  const finding = worst?.[kind];
  if (worst === undefined || finding === undefined) return 'nothing was found';
  if (finding.problem !== undefined) return finding.problem;
  const how = kind === 'padded' ? 'joined with rows of other lengths' : 'joined';
  const by = Number.isFinite(finding.difference)
    ? `by up to ${finding.difference.toPrecision(3)}`
    : 'altogether';
  return `output '${worst.name}' of a row changes ${by} when rows are ${how} (${placeOf(finding)}; tolerance ${tolerance})`;
};

/** `row 2 of 8`, and the lengths where they differ. */
export const placeOf = ({ rows, position, length, longest }: Finding): string =>
  `row ${position + 1} of ${rows}${longest > length ? `, ${length} tokens beside ${longest}` : ''}`;

/** To three digits. */
export const shownDifference = ({ difference }: Finding): number | 'unlike' =>
  Number.isFinite(difference) ? Number(difference.toPrecision(3)) : 'unlike';

const shown = (finding: Finding | undefined): Difference =>
  finding === undefined ? null : shownDifference(finding);
