import { DEFAULT_HYPOTHESIS, zeroShotUnits, type ZeroShot } from '../../codec/tasks/index.js';
import { CarpoolError } from '../../errors.js';
import type { TextInput } from '../../infer.js';
import { describe, isList } from '../json/describe.js';
import { type Body, field, optionalFlag, optionalText, refuse } from './fields.js';

export const ZERO_SHOT_KEYS = ['candidate_labels', 'hypothesis_template', 'multi_label'] as const;

/**
 * `candidate_labels` (a list, or one string with commas), `hypothesis_template` with `{}` for the label, `multi_label`:
 * the texts become one pair for each label.
 * @throws CarpoolError INVALID_REQUEST, PAYLOAD_TOO_LARGE (more than `maxRows` pairs)
 */
export const zeroShotInput = (
  body: Body,
  input: TextInput,
  maxRows: number,
): { readonly input: TextInput; readonly zeroShot?: ZeroShot } => {
  const labels = labelsOf(field(body, 'candidate_labels'));
  const template = optionalText(body, 'hypothesis_template');
  const multiLabel = optionalFlag(body, 'multi_label');
  if (labels === undefined) {
    for (const key of ['hypothesis_template', 'multi_label'] as const)
      if (field(body, key) !== undefined) throw refuse(key, 'means nothing without "candidate_labels"');
    return { input };
  }
  if (template !== undefined && !template.includes('{}'))
    throw refuse('hypothesis_template', 'expected a text with {} where the label goes');
  if (field(body, 'window') !== undefined) throw refuse('window', 'can not be had with "candidate_labels"');
  const texts = input.texts.map((text) => {
    if (typeof text === 'string') return text;
    throw refuse('candidate_labels', 'expected single texts beside them, got pairs');
  });
  const pairs = texts.length * labels.length;
  if (pairs > maxRows)
    throw new CarpoolError(
      'PAYLOAD_TOO_LARGE',
      `candidate_labels: expected at most ${maxRows} pairs of text and label in a request, got ${pairs}`,
    );
  return {
    input: { kind: 'texts', texts: zeroShotUnits(texts, labels, template ?? DEFAULT_HYPOTHESIS) },
    zeroShot: { texts: texts.length, labels, multiLabel: multiLabel ?? false },
  };
};

const labelsOf = (value: unknown): string[] | undefined => {
  if (value === undefined) return undefined;
  const list = typeof value === 'string' ? value.split(',').map((label) => label.trim()) : value;
  if (!isList(list) || list.length === 0)
    throw refuse('candidate_labels', `expected a list of labels, got ${describe(value)}`);
  return list.map((label, index) => {
    if (typeof label === 'string' && label !== '') return label;
    throw refuse(`candidate_labels[${index}]`, `expected a non-empty string, got ${describe(label)}`);
  });
};
