import type { Payload } from '../../executor/join.js';
import { seededRandom } from '../../sim/random.js';
import { sampleTensor } from '../samples.js';

/** A row that runs alone and in company. */
export interface ProbeRow {
  readonly payload: Payload;
  /** Tokens; 1 for tensors, which are never padded. */
  readonly length: number;
}

/** Makes the n-th row of a length, the same one every time. */
export type MakeRow = (length: number, n: number) => ProbeRow;

/**
 * Rows of exactly the lengths wanted, made of the tokens of some texts: a stretch of them, a draw, one over and over, in
 * turn. First and last token are those of a real text, where there is room for them: mostly special ones.
 */
export const textRows = (texts: readonly Int32Array[], seed: number): MakeRow => {
  const inner = texts.flatMap((ids) => [...ids.slice(1, -1)]);
  const pool = inner.length > 0 ? inner : texts.flatMap((ids) => [...ids]);
  const [text] = texts;
  return remembered((length, n) => {
    const random = seededRandom((seed * 1_000 + length) * 1_000 + n);
    const place = (): number => Math.floor(random() * pool.length);
    const start = place();
    const at = (i: number): number => [(start + i) % pool.length, place(), start][n % 3] ?? 0;
    const ids = Int32Array.from({ length }, (_, i) => pool[at(i)] ?? 0);
    if (length > 2) {
      ids[0] = text?.[0] ?? 0;
      ids[length - 1] = text?.at(-1) ?? 0;
    }
    return { payload: { kind: 'text', ids }, length };
  });
};

/** Magnitudes in turn: a scale taken over a whole batch follows its largest value. */
const SCALES: readonly number[] = [1, 8, 0.125, 1, 2];

/** Rows in the shapes of one that is known to run; floats in several magnitudes, integers 0 or 1 as in the sample. */
export const tensorRows = (sample: Extract<Payload, { kind: 'tensors' }>, seed: number): MakeRow =>
  remembered((_, n) => ({
    length: 1,
    payload: {
      kind: 'tensors',
      rows: 1,
      inputs: sample.inputs.map(({ dtype, dims }, i) =>
        sampleTensor(dtype, [1, ...dims.slice(1)], seed * 1_009 + n * 31 + i * 7, SCALES[n % SCALES.length]),
      ),
    },
  }));

const remembered = (make: MakeRow): MakeRow => {
  const made = new Map<string, ProbeRow>();
  return (length, n) => {
    const key = `${length}/${n}`;
    const row = made.get(key) ?? make(length, n);
    made.set(key, row);
    return row;
  };
};
