import { setImmediate as nextTurn } from 'node:timers/promises';
import { numbersOf } from '../../codec/tasks/outputs.js';
import { elementCount, type Tensor } from '../../tensor.js';
import { shortFloat32 } from '../json/short-float32.js';
import { largest } from './largest.js';

/** Values looked at in one turn of the event loop: about 1 ms. */
const VALUES_PER_TURN = 100_000;

/**
 * The N largest values of each row, as Triton's classification extension words them: `"<value>:<index>[:<label>]"`,
 * largest first, of equals the first; a row with fewer values gives all of them.
 *
 * @param tensor numbers `[rows, …]`; a row is whatever lies below axis 0
 * @param labels by index; used where there is one for every value of a row
 * @returns strings `[rows, N]`
 */
export const classified = async (
  tensor: Tensor,
  classes: number,
  labels: readonly string[] = [],
): Promise<Tensor> => {
  const [rows = 1, ...tail] = tensor.dims;
  const width = elementCount(tail);
  const count = Math.min(classes, width);
  const values = numbersOf(tensor);
  const print = printerOf(tensor);
  const names = labels.length === width ? labels : undefined;
  const data: string[] = [];
  let looked = 0;
  for (let row = 0; row < rows; row++) {
    const from = row * width;
    for (const index of largest(values, from, width, count)) {
      const label = names?.[index];
      data.push(`${print(from + index)}:${index}${label === undefined ? '' : `:${label}`}`);
    }
    looked += width;
    if (looked < VALUES_PER_TURN) continue;
    looked = 0;
    await nextTurn();
  }
  return { dtype: 'string', dims: [rows, count], data };
};

/** Integers with all digits, floats with the few that read back as the same float32. */
const printerOf = ({ dtype, data }: Tensor): ((at: number) => string) => {
  if (dtype === 'float32') return (at) => String(shortFloat32(Number(data[at])));
  if (dtype !== 'float16') return (at) => String(data[at]);
  const values = numbersOf({ dtype, dims: [data.length], data });
  return (at) => String(shortFloat32(values[at] ?? NaN));
};
