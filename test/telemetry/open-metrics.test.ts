import { afterEach, describe, expect, it } from '@jest/globals';
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.js';
import { wantsOpenMetrics } from '../../src/telemetry/open-metrics.js';
import { everyEvent } from './samples.js';

const opened: Metrics[] = [];
const open = (): Metrics => {
  const metrics = createMetrics();
  opened.push(metrics);
  return metrics;
};
afterEach(() => opened.splice(0).forEach((metrics) => metrics.close()));

const finished = (seconds: number, traceId?: string) =>
  ({ method: 'POST', route: '/predict', status: 200, seconds, traceId }) as const;

describe('OpenMetrics', () => {
  it('names counters without _total, samples with it, and marks its end', async () => {
    const metrics = open();
    everyEvent().forEach(metrics.forModel('m').onEvent);
    const { contentType, body } = await metrics.render('openmetrics');
    expect(contentType).toContain('application/openmetrics-text; version=1.0.0');
    expect(body).toContain('\n# TYPE carpool_admitted_rows counter\n');
    expect(body).toContain('\ncarpool_admitted_rows_total{model="m"} 5\n');
    expect(body).not.toContain('\n\n');
    expect(body.endsWith('\n# EOF\n')).toBe(true);
  });

  it('leaves the other format as it is, before and after', async () => {
    const metrics = open();
    everyEvent().forEach(metrics.forModel('m').onEvent);
    const types = async (): Promise<string[]> =>
      (await metrics.render()).body.split('\n').filter((line) => line.startsWith('# TYPE'));
    const before = await types();
    await metrics.render('openmetrics');
    expect(await types()).toEqual(before);
    expect(before).toContain('# TYPE carpool_admitted_rows_total counter');
  });

  it('has the last traced request of each bucket as its exemplar', async () => {
    const metrics = open();
    metrics.http.finished(finished(0.003, 'a'.repeat(32)));
    metrics.http.finished(finished(0.004, 'b'.repeat(32)));
    metrics.http.finished(finished(0.0041));
    metrics.http.finished(finished(99, 'c'.repeat(32)));
    const { body } = await metrics.render('openmetrics');
    const exemplars = body.split('\n').filter((line) => line.includes('# {'));
    const labels = 'method="POST",route="/predict",status="200"';
    expect(exemplars).toEqual([
      expect.stringMatching(
        `^http_request_duration_seconds_bucket{le="0.005",${labels}} 3 # {trace_id="b{32}"} 0.004 \\d+\\.\\d{3}$`,
      ),
      expect.stringMatching(
        `^http_request_duration_seconds_bucket{le="\\+Inf",${labels}} 4 # {trace_id="c{32}"} 99 \\d+\\.\\d{3}$`,
      ),
    ]);
    expect((await metrics.render()).body).not.toContain('# {');
  });
});

describe('wantsOpenMetrics', () => {
  it.each([
    [undefined, false],
    ['*/*', false],
    ['text/plain', false],
    ['application/openmetrics-text', true],
    ['application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1', true],
    ['text/plain;q=0.9, application/openmetrics-text;q=0.3', false],
    ['application/openmetrics-text;q=0', false],
    ['Application/OpenMetrics-Text ; Q=0.7', true],
  ])('%s: %j', (accept, wanted) => {
    expect(wantsOpenMetrics(accept)).toBe(wanted);
  });
});
