import { beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { readQuery } from '../support/promql.js';
import { REPO_ROOT, startGateway } from '../support/start-gateway.js';

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: {
    readonly summary: string;
    readonly description: string;
    readonly runbook_url: string;
  };
}

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: string }[] };
}

const read = (file: string): string => readFileSync(path.join(REPO_ROOT, file), 'utf8');

const { groups } = parse(read('deploy/prometheus/alerts.yaml')) as {
  readonly groups: readonly { readonly rules: readonly Alert[] }[];
};
const alerts = groups.flatMap(({ rules }) => rules);
const dashboard = JSON.parse(read('deploy/grafana/carpool.json')) as Dashboard;

/** As Grafana sends them. */
const filledIn = (expr: string): string =>
  expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$\w+/g, '.*');

const queries: readonly (readonly [where: string, expr: string])[] = [
  ...alerts.map(({ alert, expr }) => [alert, expr] as const),
  ...dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => [title, filledIn(expr)] as const),
  ),
];

/** Names of samples that a running gateway has, by its TYPE lines: a counter nobody has counted in has no sample. */
let served: ReadonlySet<string>;
/** Its labels, as docs/metrics.md has them, which another test holds against the code. */
const documented = new Map(
  [...read('docs/metrics.md').matchAll(/^\| `(\w+)` \| (\w+) \| ([^|]*)\|/gm)].map(
    ([, name = '', , labels = '']) =>
      [name, [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label)] as const,
  ),
);
/** Of every series: by Prometheus itself. */
const OF_TARGETS = ['job', 'instance'];

beforeAll(async () => {
  const running = await startGateway({ models: { load: ['spam'] } });
  const { text } = await running.client.get('/metrics');
  await running.close();
  served = new Set(
    [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name = '', type]) =>
      type === 'histogram' ? ['_bucket', '_sum', '_count'].map((suffix) => name + suffix) : [name],
    ),
  );
});

const labelsOf = (metric: string): readonly string[] => {
  const base = metric.replace(/_(?:bucket|sum|count)$/, '');
  const own = documented.get(metric) ?? documented.get(base) ?? [];
  return [...own, ...OF_TARGETS, ...(metric.endsWith('_bucket') ? ['le'] : [])];
};

describe('the queries of alerts and dashboard', () => {
  it.each(queries)('%s: %s', (_, expr) => {
    const { selectors, grouping } = readQuery(expr);
    for (const { metric, labels } of selectors) {
      // Prometheus' own, of every target.
      if (metric === 'up') continue;
      expect(served).toContain(metric);
      for (const label of [...labels, ...grouping])
        expect([metric, labelsOf(metric)]).toEqual([metric, expect.arrayContaining([label])]);
    }
  });

  it('are those of a reader that sees a mistake', () => {
    expect(() => readQuery('rate(a[5m]')).toThrow('no PromQL');
    expect(() => readQuery('1 + 1')).toThrow('no metric');
    expect(readQuery('sum by (x) (rate(a_total{b="1",c!="2"}[5m])) / d').selectors).toEqual([
      { metric: 'a_total', labels: ['b', 'c'] },
      { metric: 'd', labels: [] },
    ]);
  });
});

describe('alerts', () => {
  const operations = read('docs/operations.md');

  it.each(alerts.map((alert) => [alert.alert, alert] as const))(
    '%s says what is wrong and where help is',
    (name, { annotations, labels }) => {
      expect(annotations.summary.length).toBeGreaterThan(20);
      expect(annotations.description.length).toBeGreaterThan(40);
      expect(['page', 'ticket']).toContain(labels.severity);
      const [page, anchor = ''] = annotations.runbook_url.split('#');
      expect(page).toBe('docs/operations.md');
      const row = operations.split('\n').find((line) => line.includes(`<a id="${anchor}"></a>`));
      expect(row).toContain(name);
      expect(row?.length).toBeGreaterThan(200);
    },
  );

  it('have names of their own, and no row is left over', () => {
    const names = alerts.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
    const anchors = [...operations.matchAll(/<a id="(alert-[\w-]+)"><\/a>/g)].map(([, anchor]) => anchor);
    expect(anchors.toSorted()).toEqual(
      alerts.map(({ annotations }) => annotations.runbook_url.split('#')[1]).toSorted(),
    );
  });
});

describe('the dashboard', () => {
  it('asks for variables that it has', () => {
    const has = ['__rate_interval', '__all', ...dashboard.templating.list.map(({ name }) => name)];
    const asked = [...JSON.stringify(dashboard).matchAll(/\$\{?(\w+)/g)].map(([, name = '']) => name);
    expect(asked.length).toBeGreaterThan(50);
    for (const name of new Set(asked)) expect(has).toContain(name);
    for (const { query } of dashboard.templating.list.filter(({ name }) => name !== 'datasource')) {
      const [, metric = '', label = ''] = /^label_values\((\w+), (\w+)\)$/.exec(query) ?? [];
      expect(served).toContain(metric);
      expect(labelsOf(metric)).toContain(label);
    }
  });

  it('has no panels one above the other', () => {
    const taken = new Set<string>();
    for (const { title, gridPos } of dashboard.panels)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect([title, x < 24, taken.has(`${x} ${y}`)]).toEqual([title, true, false]);
          taken.add(`${x} ${y}`);
        }
  });
});
