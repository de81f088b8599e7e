import { afterEach, describe, expect, it } from '@jest/globals';
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.js';
import { createAccessLog } from '../../src/telemetry/access-log.js';
import { silentLogger } from '../../src/telemetry/logger.js';
import { createRequestObserver } from '../../src/telemetry/request-observer.js';
import { COST, everyEvent, groupOf, samplesOf } from './samples.js';

const opened: Metrics[] = [];
const open = (): Metrics => {
  const metrics = createMetrics();
  opened.push(metrics);
  return metrics;
};
afterEach(() => opened.splice(0).forEach((metrics) => metrics.close()));

describe('http', () => {
  it('counts requests by method, route and status', async () => {
    const { http, render } = open();
    http.started();
    http.started();
    http.started();
    http.finished({ method: 'POST', route: '/predict', status: 200, seconds: 0.003 });
    http.finished({ method: 'POST', route: '/predict', status: 200, seconds: 0.2 });
    const samples = samplesOf((await render()).body);
    const labels = '{method="POST",route="/predict",status="200"}';
    expect(samples.get(`http_request_total${labels}`)).toBe(2);
    expect(samples.get(`http_request_duration_seconds_count${labels}`)).toBe(2);
    expect(samples.get(`http_request_duration_seconds_sum${labels}`)).toBeCloseTo(0.203);
    expect(samples.get('http_request_in_flight')).toBe(1);
  });

  it('does not make a series of every method that a client invents', async () => {
    const { http, render } = open();
    http.finished({ method: 'BREW', route: '/', status: 405, seconds: 0 });
    http.finished({ method: '', route: '/', status: 400, seconds: 0 });
    const { body } = await render();
    expect(body).not.toContain('BREW');
    expect(samplesOf(body).get('http_request_total{method="OTHER",route="/",status="405"}')).toBe(1);
  });

  it('is fed by the request observer', async () => {
    const metrics = open();
    const log = createAccessLog(silentLogger(), { accessLogPerSecond: 1, slowRequestMs: 1 });
    const observer = createRequestObserver(metrics.http, log);
    observer.started();
    const nothing = { code: undefined, model: undefined, rows: undefined, batchRows: undefined };
    const noStages = { bodyMs: undefined, encodeMs: undefined, queueMs: undefined, runMs: undefined };
    const request = { requestId: 'r', method: 'GET', route: '/a', path: '/a', status: 200, ms: 1500 };
    observer.finished({ ...request, ...nothing, ...noStages });
    const samples = samplesOf((await metrics.render()).body);
    expect(samples.get('http_request_duration_seconds_sum{method="GET",route="/a",status="200"}')).toBe(1.5);
    expect(samples.get('http_request_in_flight')).toBe(0);
  });
});

describe('batching', () => {
  it('counts each event where it belongs', async () => {
    const metrics = open();
    const model = metrics.forModel('spam');
    model.bindQueue(() => ({ rows: 7, oldestAgeMs: 250, cost: COST }));
    everyEvent().forEach(model.onEvent);
    const samples = samplesOf((await metrics.render()).body);
    const value = (name: string, more = ''): number | undefined =>
      samples.get(`carpool_${name}{model="spam"${more}}`);
    expect({
      admitted: value('admitted_rows_total'),
      refused: value('refused_total', ',code="QUEUE_FULL",reason="late"'),
      cancelled: value('cancelled_rows_total'),
      expired: value('expired_rows_total'),
      byReason: value('batches_total', ',reason="lane_free"'),
      retries: value('batches_total', ',reason="retry"'),
      rows: value('batch_rows_sum'),
      batchTokens: value('batch_tokens_sum'),
      tokens: value('tokens_total'),
      padded: value('padded_tokens_total'),
      padding: value('padding_seconds_total'),
      waits: value('queue_wait_seconds_count'),
      waited: value('queue_wait_seconds_sum'),
      ran: value('run_seconds_sum'),
      failed: value('failed_batches_total', ',code="WORKER_LOST"'),
      odd: value('failed_batches_total', ',code="INTERNAL"'),
      retried: value('retried_batches_total'),
      queueRows: value('queue_rows'),
      oldest: value('queue_oldest_age_seconds'),
    }).toEqual({
      admitted: 5,
      refused: 1,
      cancelled: 2,
      expired: 3,
      byReason: 1,
      retries: 1,
      rows: 8,
      batchTokens: 200,
      tokens: 120,
      padded: 200,
      padding: 0.256,
      waits: 2,
      waited: 0.03,
      ran: 0.5,
      failed: 1,
      odd: 1,
      retried: 1,
      queueRows: 7,
      oldest: 0.25,
    });
  });

  it('puts rows and tokens into powers of two', async () => {
    const metrics = open();
    metrics.forModel('m').onEvent({
      type: 'dispatched',
      group: groupOf({ rows: 5, paddedTokens: 640 }),
      queueMs: [],
      predictedMs: 1,
      waiting: 0,
    });
    const samples = samplesOf((await metrics.render()).body);
    const bucket = (name: string, le: number): number | undefined =>
      samples.get(`carpool_${name}_bucket{le="${le}",model="m"}`);
    expect([bucket('batch_rows', 4), bucket('batch_rows', 8), bucket('batch_rows', 1024)]).toEqual([0, 1, 1]);
    expect([bucket('batch_tokens', 512), bucket('batch_tokens', 1024)]).toEqual([0, 1]);
  });

  it('forgets a model, and ignores what its batcher says afterwards', async () => {
    const metrics = open();
    const gone = metrics.forModel('gone');
    const stays = metrics.forModel('stays');
    gone.bindQueue(() => ({ rows: 1, oldestAgeMs: 1, cost: COST }));
    everyEvent().forEach(gone.onEvent);
    everyEvent().forEach(stays.onEvent);
    gone.remove();
    everyEvent().forEach(gone.onEvent);
    gone.remove();
    const { body } = await metrics.render();
    expect(body).not.toContain('"gone"');
    expect(samplesOf(body).get('carpool_admitted_rows_total{model="stays"}')).toBe(5);
  });

  it('keeps the series of a model while one of its versions lives, and adds up their queues', async () => {
    const metrics = open();
    const before = metrics.forModel('m');
    const after = metrics.forModel('m');
    before.bindQueue(() => ({ rows: 2, oldestAgeMs: 500, cost: COST }));
    after.bindQueue(() => ({ rows: 3, oldestAgeMs: 100, cost: COST }));
    before.onEvent({ type: 'admitted', items: 1, rows: 1 });
    const both = samplesOf((await metrics.render()).body);
    expect(both.get('carpool_queue_rows{model="m"}')).toBe(5);
    expect(both.get('carpool_queue_oldest_age_seconds{model="m"}')).toBe(0.5);
    before.remove();
    after.onEvent({ type: 'admitted', items: 1, rows: 1 });
    const one = samplesOf((await metrics.render()).body);
    expect(one.get('carpool_admitted_rows_total{model="m"}')).toBe(2);
    expect(one.get('carpool_queue_rows{model="m"}')).toBe(3);
    after.remove();
    expect((await metrics.render()).body).not.toContain('model="m"');
    metrics.forModel('m').onEvent({ type: 'admitted', items: 1, rows: 4 });
    expect(samplesOf((await metrics.render()).body).get('carpool_admitted_rows_total{model="m"}')).toBe(4);
  });

  it.each(['__proto__', 'constructor', 'a"b', 'a\\b\n'])('takes %j for a model name', async (name) => {
    const metrics = open();
    metrics.forModel(name).onEvent({ type: 'admitted', items: 1, rows: 4 });
    const lines = (await metrics.render()).body.split('\n');
    expect(lines.filter((line) => line.startsWith('carpool_admitted_rows_total{'))).toHaveLength(1);
  });
});

describe('lanes', () => {
  it('asks for the states at each scrape, and counts restarts', async () => {
    const { lanes, render } = open();
    let states: Record<string, number> = { idle: 1, busy: 1 };
    const unbind = lanes.bind(() => states);
    lanes.restarted();
    expect(samplesOf((await render()).body).get('carpool_lanes{state="busy"}')).toBe(1);
    states = { idle: 2 };
    const samples = samplesOf((await render()).body);
    expect(samples.get('carpool_lanes{state="busy"}')).toBeUndefined();
    expect(samples.get('carpool_lanes{state="idle"}')).toBe(2);
    expect(samples.get('carpool_lane_restarts_total')).toBe(1);
    unbind();
    expect((await render()).body).not.toContain('carpool_lanes{');
  });
});

describe('process', () => {
  it('sees a blocked event loop, once', async () => {
    const { render } = open();
    const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 25));
    const longest = async (): Promise<number> =>
      samplesOf((await render()).body).get('nodejs_eventloop_lag_max_seconds') ?? NaN;
    await turn();
    await longest();
    await turn();
    const until = performance.now() + 300;
    while (performance.now() < until);
    await turn();
    expect(await longest()).toBeGreaterThan(0.25);
    expect(await longest()).toBe(0);
  });

  it('has no NaN in anything, from the first scrape on', async () => {
    const { render } = open();
    const samples = samplesOf((await render()).body);
    expect([...samples].filter(([, value]) => !Number.isFinite(value))).toEqual([]);
    expect(samples.get('process_resident_memory_bytes')).toBeGreaterThan(1e6);
    const cpuSeconds = samplesOf((await render()).body).get('process_cpu_seconds_total') ?? NaN;
    const { user, system } = process.cpuUsage();
    expect(cpuSeconds).toBeGreaterThan(0);
    expect(cpuSeconds).toBeLessThanOrEqual((user + system) / 1e6);
    const startedAt = samples.get('process_start_time_seconds') ?? 0;
    expect(Math.abs(startedAt - Date.now() / 1000)).toBeLessThan(3600);
  });
});

describe('close', () => {
  it('stops the event loop monitor and forgets everything', async () => {
    const calls: string[] = [];
    const note = (name: string) => (): boolean => calls.push(name) > 0;
    const metrics = createMetrics({
      enable: note('enable'),
      disable: note('disable'),
      reset: () => undefined,
      percentile: () => 0,
      count: 0,
      max: 0,
    });
    expect(calls).toEqual(['enable']);
    metrics.close();
    expect(calls).toEqual(['enable', 'disable']);
    expect((await metrics.render()).body.trim()).toBe('');
  });
});

describe('two registries in one process', () => {
  it('do not mix', async () => {
    const [first, second] = [open(), open()];
    first.forModel('m').onEvent({ type: 'admitted', items: 1, rows: 4 });
    expect((await second.render()).body).not.toContain('model="m"');
    first.close();
    expect((await second.render()).body).toContain('process_cpu_seconds_total');
  });
});
