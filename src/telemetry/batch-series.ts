import type { CostFit } from '#batcher';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { DURATION_BUCKETS_S, ROW_BUCKETS, TOKEN_BUCKETS } from './buckets.js';

/** The metrics of batching, all labelled with the model; docs/metrics.md says what each means. */
export interface BatchSeries {
  readonly batchRows: Histogram<'model'>;
  readonly batchTokens: Histogram<'model'>;
  readonly queueWait: Histogram<'model'>;
  readonly run: Histogram<'model'>;
  readonly tokens: Counter<'model'>;
  readonly paddedTokens: Counter<'model'>;
  readonly padding: Counter<'model'>;
  readonly admittedRows: Counter<'model'>;
  readonly sharedRows: Counter<'model'>;
  readonly cancelledRows: Counter<'model'>;
  readonly expiredRows: Counter<'model'>;
  readonly retriedBatches: Counter<'model'>;
  readonly batches: Counter<'model' | 'reason'>;
  readonly refused: Counter<'model' | 'code' | 'reason'>;
  readonly failedBatches: Counter<'model' | 'code'>;
  readonly laneLosses: Counter<'model' | 'how'>;
  readonly cacheRows: Counter<'model' | 'result'>;
  /** Those of the above whose only label is the model. */
  readonly ofModelAlone: readonly { remove(model: string): void }[];
}

export const createBatchSeries = (registry: Registry): BatchSeries => {
  const registers = [registry];
  const histogram = (name: string, help: string, buckets: number[]): Histogram<'model'> =>
    new Histogram({ name: `carpool_${name}`, help, labelNames: ['model'], buckets, registers });
  const counter = <L extends string = 'model'>(
    name: string,
    help: string,
    ...labels: Exclude<L, 'model'>[]
  ): Counter<L | 'model'> =>
    new Counter<L | 'model'>({ name: `carpool_${name}`, help, labelNames: ['model', ...labels], registers });
  const ofModelAlone = {
    batchRows: histogram('batch_rows', 'Rows of each batch run.', ROW_BUCKETS),
    batchTokens: histogram('batch_tokens', 'Tokens of each batch run, padding included.', TOKEN_BUCKETS),
    queueWait: histogram(
      'queue_wait_seconds',
      'From arrival to first dispatch, per item.',
      DURATION_BUCKETS_S,
    ),
    run: histogram('run_seconds', 'Time of each successful run in its lane.', DURATION_BUCKETS_S),
    tokens: counter('tokens_total', 'Tokens run, without padding.'),
    paddedTokens: counter('padded_tokens_total', 'Tokens run, padding included: what the hardware paid for.'),
    padding: counter('padding_seconds_total', 'Lane time that padding took.'),
    admittedRows: counter('admitted_rows_total', 'Rows taken into the queue.'),
    sharedRows: counter('shared_rows_total', 'Rows answered by the ride of an equal input.'),
    cancelledRows: counter('cancelled_rows_total', 'Queued rows dropped because their client went away.'),
    expiredRows: counter('expired_rows_total', 'Queued rows dropped because their deadline passed.'),
    retriedBatches: counter('retried_batches_total', 'Failed batches of which members were run again.'),
  };
  return {
    ...ofModelAlone,
    ofModelAlone: Object.values(ofModelAlone),
    batches: counter<'model' | 'reason'>(
      'batches_total',
      'Batches dispatched, by what closed them.',
      'reason',
    ),
    refused: counter<'model' | 'code' | 'reason'>(
      'refused_total',
      'Requests refused at the door of the queue.',
      'code',
      'reason',
    ),
    failedBatches: counter<'model' | 'code'>('failed_batches_total', 'Batches whose run failed.', 'code'),
    laneLosses: counter<'model' | 'how'>('lane_losses_total', 'Runs that lost their lane.', 'how'),
    cacheRows: counter<'model' | 'result'>(
      'cache_rows_total',
      'Rows looked up in the response cache.',
      'result',
    ),
  };
};

export interface QueueView {
  /** Rows waiting. */
  readonly rows: number;
  /** How long the item at the head has waited; 0 when nothing waits. */
  readonly oldestAgeMs: number;
  /** What runs are believed to cost. */
  readonly cost: CostFit;
  /** It is out of service, since it kept losing lanes. Default false. */
  readonly circuitOpen?: boolean;
}

/** Gauges that ask at scrape time; between scrapes they cost nothing. */
export const createQueueGauges = (
  registry: Registry,
  queues: () => Iterable<readonly [model: string, QueueView]>,
): void => {
  const gauge = (name: string, help: string, read: (view: QueueView) => number): void => {
    new Gauge({
      name: `carpool_${name}`,
      help,
      labelNames: ['model'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [model, view] of queues()) this.set({ model }, read(view));
      },
    });
  };
  gauge('queue_rows', 'Rows waiting now.', (view) => view.rows);
  gauge(
    'queue_oldest_age_seconds',
    'How long the head of the queue has waited.',
    (view) => view.oldestAgeMs / 1000,
  );
  gauge('circuit_open', 'Out of service after losing lanes: 1.', (view) =>
    view.circuitOpen === true ? 1 : 0,
  );
  gauge('cost_alpha_seconds', 'Fixed cost of a run.', ({ cost }) => cost.coefficients.alphaMs / 1000);
  gauge('cost_beta_seconds', 'Cost of a token.', ({ cost }) => cost.coefficients.betaMsPerToken / 1000);
  gauge('cost_knee_tokens', 'Tokens that are free.', ({ cost }) => cost.coefficients.kneeTokens);
  gauge(
    'cost_quadratic_seconds',
    'Cost of a token for each token of its length.',
    ({ cost }) => cost.coefficients.quadMsPerTokenSquared / 1000,
  );
  gauge('cost_error_ratio', 'Mean relative error of the predicted run times.', ({ cost }) => cost.error);
};
