import { Client } from './client.js';

export interface Gauges {
  /** Rows waiting, all models together. */
  readonly queueRows: number;
  /** Requests in flight beside the scrape itself. */
  readonly inFlight: number;
  /** Lanes by state. */
  readonly lanes: Readonly<Record<string, number>>;
  readonly laneRestarts: number;
}

const SAMPLE = /^(\w+)(?:\{(.*)\})? (\S+)$/;

const gaugesOf = (text: string): Gauges => {
  const lanes: Record<string, number> = {};
  const sums: Record<string, number> = {};
  for (const line of text.split('\n')) {
    const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? [];
    sums[name] = (sums[name] ?? 0) + Number(value);
    if (name === 'carpool_lanes') lanes[/state="(\w+)"/.exec(labels)?.[1] ?? '?'] = Number(value);
  }
  return {
    queueRows: sums['carpool_queue_rows'] ?? NaN,
    inFlight: (sums['http_request_in_flight'] ?? NaN) - 1,
    lanes,
    laneRestarts: sums['carpool_lane_restarts_total'] ?? NaN,
  };
};

export const scrape = async (client: Client): Promise<Gauges> => {
  const outcome = await client.request('GET', '/metrics');
  if (outcome.kind !== 'answer') throw new Error(`no metrics: ${outcome.kind}`);
  return gaugesOf(outcome.answer.body.toString('utf8'));
};

/** Scrapes until nothing waits, nothing is in flight and every lane is idle; returns the last look either way. */
export const scrapeWhenQuiet = async (client: Client, limitMs: number): Promise<Gauges> => {
  const until = performance.now() + limitMs;
  for (;;) {
    const gauges = await scrape(client);
    const { queueRows, inFlight, lanes } = gauges;
    const isQuiet = queueRows === 0 && inFlight === 0 && lanes['running'] === 0 && lanes['starting'] === 0;
    if (isQuiet || performance.now() > until) return gauges;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
