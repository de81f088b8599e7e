import { describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { createMetrics } from '../../src/telemetry/metrics.js';
import { COST, everyEvent } from './samples.js';

/** `name type label label` of every row whose first cell is a name in backticks. */
const documented = async (): Promise<string[]> => {
  const page = await readFile(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
  return [...page.matchAll(/^\| `(\w+)` \| (\w+) \| ([^|]*)\|/gm)].map(
    ([, name = '', type = '', labels = '']) =>
      [name, type, ...[...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label).sort()].join(' '),
  );
};

/** The same of what is rendered after everything has happened once. */
const rendered = async (): Promise<string[]> => {
  const metrics = createMetrics();
  const model = metrics.forModel('m');
  model.bindQueue(() => ({ rows: 1, oldestAgeMs: 1, cost: COST }));
  model.laneLost('hung');
  everyEvent().forEach(model.onEvent);
  model.cached(1, 0);
  metrics.cache.redisFailed('error');
  metrics.http.started();
  metrics.http.finished({ method: 'GET', route: '/', status: 200, seconds: 1 });
  metrics.connections.cut('pipelining');
  metrics.access.refused('invalid');
  metrics.limits.refused('rows_per_minute');
  metrics.lanes.bind(() => ({ idle: 1 }));
  const served = { name: 'm', version: '1', task: 'tensor', joining: 'any', loadedAtUnixSeconds: 1 };
  metrics.state.bind(() => ({ ready: true, models: [served], failed: 0, loading: 0 }));
  metrics.traces.count('exported', 1);
  metrics.versions.bind(() => [{ model: 'm', version: '1', role: 'default' }]);
  metrics.versions.routed('m', '1');
  metrics.versions.shadowed('m', '1', 'different', 0.5);
  const { body } = await metrics.render();
  metrics.close();
  return [...body.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '', type = '']) => {
    const sample = new RegExp(`^${name}(?:_count)?(?:\\{(.*)\\})? `, 'm').exec(body);
    if (sample === null) throw new Error(`${name} has no sample: let it happen in this test`);
    const labels = [...(sample[1] ?? '').matchAll(/(\w+)="/g)].map(([, label = '']) => label);
    return [name, type, ...labels.sort()].join(' ');
  });
};

describe('docs/metrics.md', () => {
  it('lists every metric with its type and labels, and nothing else', async () => {
    expect((await documented()).sort()).toEqual((await rendered()).sort());
  });
});
