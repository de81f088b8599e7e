import { wasteOf, type BatcherEvent } from '#batcher';
import type { Counter } from 'prom-client';
import { codeOf } from '../errors.js';
import type { BatchSeries } from './batch-series.js';

/** The series of one model name. Labels are resolved once: that costs more than an update. */
export class ModelSeries {
  readonly #model: string;
  readonly #series: BatchSeries;
  readonly #batchRows: Observer;
  readonly #batchTokens: Observer;
  readonly #queueWait: Observer;
  readonly #run: Observer;
  readonly #tokens: Incrementer;
  readonly #paddedTokens: Incrementer;
  readonly #padding: Incrementer;
  readonly #admittedRows: Incrementer;
  readonly #sharedRows: Incrementer;
  readonly #batches: LabelledCounter<'reason'>;
  readonly #refused: LabelledCounter<'code' | 'reason'>;
  readonly #failed: LabelledCounter<'code'>;
  readonly #laneLosses: LabelledCounter<'how'>;
  readonly #cacheRows: LabelledCounter<'result'>;

  constructor(series: BatchSeries, model: string) {
    this.#model = model;
    this.#series = series;
    this.#batchRows = series.batchRows.labels(model);
    this.#batchTokens = series.batchTokens.labels(model);
    this.#queueWait = series.queueWait.labels(model);
    this.#run = series.run.labels(model);
    this.#tokens = series.tokens.labels(model);
    this.#paddedTokens = series.paddedTokens.labels(model);
    this.#padding = series.padding.labels(model);
    this.#admittedRows = series.admittedRows.labels(model);
    this.#sharedRows = series.sharedRows.labels(model);
    this.#batches = new LabelledCounter(series.batches, model);
    this.#refused = new LabelledCounter(series.refused, model);
    this.#laneLosses = new LabelledCounter(series.laneLosses, model);
    this.#failed = new LabelledCounter(series.failedBatches, model);
    this.#cacheRows = new LabelledCounter(series.cacheRows, model);
  }

  count(event: BatcherEvent): void {
    const { cancelledRows, expiredRows, retriedBatches } = this.#series;
    const model = this.#model;
    switch (event.type) {
      case 'admitted':
        this.#admittedRows.inc(event.rows);
        break;
      case 'refused':
        this.#refused.inc(event.code, event.reason);
        break;
      case 'shared':
        this.#sharedRows.inc(event.rows);
        break;
      case 'cancelled':
        cancelledRows.inc({ model }, event.rows);
        break;
      case 'expired':
        expiredRows.inc({ model }, event.rows);
        break;
      case 'dispatched':
        this.#countDispatch(event);
        break;
      case 'completed':
        this.#run.observe(event.runMs / 1000);
        this.#padding.inc((event.laneMs * wasteOf(event.unpaddedMs, event.laneMs)) / 1000);
        break;
      case 'failed':
        // Codes come from other threads: one that is not in the table must not become a series of its own.
        this.#failed.inc(codeOf(event));
        if (event.retried) retriedBatches.inc({ model });
        break;
    }
  }

  countLoss(how: 'died' | 'hung'): void {
    this.#laneLosses.inc(how);
  }

  cached(hitRows: number, missRows: number): void {
    if (hitRows > 0) this.#cacheRows.add(hitRows, 'hit');
    if (missRows > 0) this.#cacheRows.add(missRows, 'miss');
  }

  /** Takes the model out of every metric. */
  remove(): void {
    for (const metric of this.#series.ofModelAlone) metric.remove(this.#model);
    this.#batches.remove();
    this.#refused.remove();
    this.#failed.remove();
    this.#laneLosses.remove();
    this.#cacheRows.remove();
  }

  #countDispatch({ group, queueMs }: Extract<BatcherEvent, { type: 'dispatched' }>): void {
    this.#batchRows.observe(group.rows);
    this.#batchTokens.observe(group.paddedTokens);
    this.#tokens.inc(group.tokens);
    this.#paddedTokens.inc(group.paddedTokens);
    this.#batches.inc(group.reason);
    // The items of a retry were counted when they were first dispatched.
    if (group.reason !== 'retry') for (const ms of queueMs) this.#queueWait.observe(ms / 1000);
  }
}

interface Observer {
  observe(value: number): void;
}

interface Incrementer {
  inc(value: number): void;
}

/** A counter with labels beside the model; remembers their values, because prom-client removes only exact ones. */
class LabelledCounter<L extends string> {
  readonly #counter: Counter<'model' | L>;
  readonly #model: string;
  readonly #children = new Map<string, { readonly values: readonly string[]; readonly child: Incrementer }>();

  constructor(counter: Counter<'model' | L>, model: string) {
    this.#counter = counter;
    this.#model = model;
  }

  /** @param values in the order of the counter's label names, without the model */
  inc(...values: readonly string[]): void {
    this.add(1, ...values);
  }

  add(by: number, ...values: readonly string[]): void {
    const key = values.join(' ');
    let known = this.#children.get(key);
    if (known === undefined)
      this.#children.set(key, (known = { values, child: this.#counter.labels(this.#model, ...values) }));
    known.child.inc(by);
  }

  remove(): void {
    for (const { values } of this.#children.values()) this.#counter.remove(this.#model, ...values);
    this.#children.clear();
  }
}
