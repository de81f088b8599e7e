/** A value on the command line that says nothing sensible. Its message says what was expected of which option, and what came. */
export class OptionError extends Error {}

/** @throws OptionError that names the option, what was expected and what came */
export const parseNumber = (
  option: string,
  text: string | undefined,
  fallback: number,
  least = Number.MIN_VALUE,
): number => {
  if (text === undefined) return fallback;
  const value = text.trim() === '' ? NaN : Number(text);
  if (Number.isFinite(value) && value >= least) return value;
  const range = least === 0 ? 'a number of 0 or more' : 'a positive number';
  throw new OptionError(`${option}: expected ${range}; found "${text}"`);
};

type Tuple<N extends 1 | 2 | 3 | 4> = {
  1: [number];
  2: [number, number];
  3: [number, number, number];
  4: [number, number, number, number];
}[N];

/** Numbers of 0 or more, separated by commas. @throws OptionError as above */
export const parseList = <N extends 1 | 2 | 3 | 4>(option: string, text: string, count: N): Tuple<N> => {
  const numbers = text.split(',').map((part) => parseNumber(option, part, 0, 0));
  if (isTuple(numbers, count)) return numbers;
  throw new OptionError(`${option}: expected ${count} numbers separated by commas; found "${text}"`);
};

const isTuple = <N extends 1 | 2 | 3 | 4>(numbers: readonly number[], count: N): numbers is Tuple<N> =>
  numbers.length === count;
