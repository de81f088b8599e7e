const powersOfTwo = (lastExponent: number): number[] =>
  Array.from({ length: lastExponent + 1 }, (_, exponent) => 2 ** exponent);

/** The one series for all durations, in seconds: half a millisecond to the default deadline. */
export const DURATION_BUCKETS_S = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

export const ROW_BUCKETS = powersOfTwo(10); // 1 ~ 1024
export const TOKEN_BUCKETS = powersOfTwo(16); // 1 ~ 65536
