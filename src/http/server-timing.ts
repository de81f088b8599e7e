/** What is known of the stages of a request; milliseconds. Absent until the stage is over. */
export interface Timed {
  readonly encodeMs: number | undefined;
  readonly queueMs: number | undefined;
  readonly runMs: number | undefined;
  readonly batchRows: number | undefined;
  /** Since the request's headers arrived. */
  readonly elapsedMs: number;
}

/**
 * The value of a `Server-Timing` header (W3C Server Timing, durations in milliseconds), the same for every protocol:
 *
 *   tokenize;dur=0.31, queue;dur=1.2, run;dur=4.05, total;dur=5.9, batch;desc="8"
 *
 * `queue` and `run` are the longest of the request's items, `batch` the rows of the largest batch that one rode in, `total`
 * the time from the headers to here.
 * @returns undefined for what has not been through a model
 */
export const serverTimingOf = ({
  encodeMs,
  queueMs,
  runMs,
  batchRows,
  elapsedMs,
}: Timed): string | undefined => {
  if (runMs === undefined) return undefined;
  const parts = [
    duration('tokenize', encodeMs),
    duration('queue', queueMs),
    duration('run', runMs),
    duration('total', elapsedMs),
    batchRows === undefined ? undefined : `batch;desc="${batchRows}"`,
  ];
  return parts.filter((part) => part !== undefined).join(', ');
};

/** Microseconds are enough. */
const duration = (name: string, ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : `${name};dur=${Math.round(ms * 1000) / 1000}`;
