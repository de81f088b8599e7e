import type { StartReport } from '../gateway.js';
import { joiningText } from '../models/joining.js';
import type { ModelInfo } from '../models/model-info.js';
import type { TensorSpec } from '../tensor.js';

const LONGEST_LIST = 6;

/** Names and reasons come from files and from ONNX Runtime: no line breaks and no terminal codes on a line of ours. */
export const oneLine = (text: string): string => text.replace(/[\s\p{Cc}]+/gu, ' ').trim();

const few = (items: readonly string[]): string => {
  const shown = items.slice(0, LONGEST_LIST).map(oneLine);
  return (items.length > LONGEST_LIST ? [...shown, `… ${items.length} in all`] : shown).join(', ');
};

/** `input_ids int64[batch,sequence]` */
export const tensorText = ({ name, dtype, shape }: TensorSpec): string =>
  `${name} ${dtype}[${shape.map((dim) => (dim === '' ? '?' : dim)).join(',')}]`;

/** What goes in and what comes out, in the words of the task. */
const taskText = ({ takesTexts, labels, card, signature }: ModelInfo): string => {
  if (takesTexts) return labels === undefined ? 'texts → scores' : `texts → [${few(labels)}]`;
  if (card.classifier !== undefined) return `rows → ${card.classifier.flag}`;
  return `tensors → ${few(signature.outputs.map(tensorText))}`;
};

const batchText = (model: ModelInfo): string => {
  const { reason = model.batch.mode === 'single' ? 'its rows can not be joined' : undefined } = model.batch;
  return `${joiningText(model)}${reason === undefined ? '' : `: ${oneLine(reason)}`}`;
};

/** The columns of a model's line: name, task, what it does, its inputs, how it is batched when not freely. */
export const modelColumns = (model: ModelInfo): string[] => [
  oneLine(model.name),
  model.card.task,
  taskText(model),
  `(${few(model.signature.inputs.map(tensorText))})`,
  batchText(model),
];

export const failureText = ({ code, message }: StartReport['failed'][number]): string =>
  `${code}: ${oneLine(message)}`;

/** Rows of cells as lines of columns; the last cell of a row is not padded. */
export const alignColumns = (rows: readonly (readonly string[])[]): string[] => {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, Array.from(cell).length)));
  const pad = (cell: string, at: number): string =>
    cell + ' '.repeat((widths[at] ?? 0) - Array.from(cell).length);
  return rows.map((row) => row.map(pad).join('  ').trimEnd());
};
