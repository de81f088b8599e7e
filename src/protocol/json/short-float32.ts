const POWERS_OF_TEN = Array.from({ length: 13 }, (_, exponent) => 10 ** exponent);

const power = (exponent: number): number => POWERS_OF_TEN[exponent] ?? 10 ** exponent;

/** Decimal exponent e with size < 10^e, for 1e-4 ≤ size < 1e7; comparisons because log10 costs more. */
const exponentOf = (size: number): number => {
  if (size < 1) return size < 0.01 ? (size < 0.001 ? -3 : -2) : size < 0.1 ? -1 : 0;
  if (size < 1000) return size < 10 ? 1 : size < 100 ? 2 : 3;
  return size < 1e5 ? (size < 1e4 ? 4 : 5) : size < 1e6 ? 6 : 7;
};

const byPrecision = (value: number): number => {
  for (let digits = 7; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  // 9 digits name every float32.
  return Number(value.toPrecision(9));
};

/**
 * A double near the finite float32 `value` that prints with 9 digits at most and reads back as the same float32:
 * 0.1 in place of 0.10000000149011612. Printing these is faster than printing the float32s themselves.
 */
export const shortFloat32 = (value: number): number => {
  const size = Math.abs(value);
  if (!(size >= 1e-4 && size < 1e7)) return byPrecision(value);
  const exponent = exponentOf(size);
  for (let digits = 7; digits < 10; digits++) {
    const scale = power(digits - exponent);
    const candidate = Math.round(value * scale) / scale;
    if (Math.fround(candidate) === value) return candidate;
  }
  return byPrecision(value);
};
