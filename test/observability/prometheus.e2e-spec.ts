import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Metric, METRICS } from 'nestjs-async-endpoints/telemetry';
import { eventually } from 'nestjs-async-endpoints/testing';
import type { AppProcess } from '../app-process.js';
import { parse, stringify } from 'yaml';
import { System } from '../redis/system.js';
import { temporaryFolder } from '../temporary-folder.js';
import { asked, panels } from './dashboard.js';
import { alertRules } from './hasten.js';
import { hasPrometheus, MONITORING, Prometheus, promtool } from './prometheus.js';

const SKIPPED = 'there is no prometheus and prometheus-node-exporter here';

/** As `/metrics` names them, with what histograms are made of. */
const SERIES = new Set(
  Object.entries<Metric>(METRICS).flatMap(([name, { kind }]) => {
    const base = name.replaceAll('.', '_');
    if (kind === 'histogram') return [`${base}_bucket`, `${base}_sum`, `${base}_count`];
    return [kind === 'counter' ? `${base}_total` : base];
  }),
);

describe('The files in deploy/monitoring', () => {
  it('name only metrics of the catalogue, and the dashboard shows all of them', async () => {
    const files = await readdir(MONITORING, { recursive: true });
    const texts = files.filter((file) => /\.(yml|json)$/.test(file)).map((file) => readFile(MONITORING + file, 'utf8'));
    const named = (await Promise.all(texts)).flatMap((text) => text.match(/\basync_?endpoints?_\w+/g) ?? []);
    expect(named.length).toBeGreaterThan(50);
    expect([...new Set(named)].filter((name) => !SERIES.has(name))).toEqual([]);

    const dashboard = await readFile(`${MONITORING}grafana/async-endpoints.json`, 'utf8');
    const shown = Object.keys(METRICS).filter((name) => dashboard.includes(name.replaceAll('.', '_')));
    expect(shown).toEqual(Object.keys(METRICS));
  });

  it('contain a dashboard with panels that do not overlap, each with a query', async () => {
    const all = await panels();
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    const cells = all.flatMap(({ gridPos: { x, y, w } }) => Array.from({ length: w }, (_, i) => `${x + i},${y}`));
    expect(new Set(cells).size).toBe(cells.length);
    for (const { title, targets } of all)
      expect([title, targets.length > 0 && targets.every(({ expr }) => expr !== '')]).toEqual([title, true]);
  });

  it('contain rules that promtool accepts, and unit tests that pass', async (test) => {
    if (!hasPrometheus()) test.skip(SKIPPED);
    expect(await promtool(['check', 'rules', 'alerts.yml'])).toContain('SUCCESS');
    expect(await promtool(['check', 'config', 'prometheus.yml'])).toContain('SUCCESS');
    expect(await promtool(['test', 'rules', 'alerts.test.yml'])).toContain('SUCCESS');
  });

  it('use only labels that every set-up has, and keep namespaces apart', async () => {
    for (const { alert, expr } of await alertRules()) {
      expect([alert, expr.match(/\bjob\s*[=!]/)]).toEqual([alert, null]);
      const aggregated = [...expr.matchAll(/\b(sum|max|min|count) (by \([^)]*\))?/g)];
      for (const [, , by] of aggregated) expect([alert, by]).toEqual([alert, expect.stringContaining('namespace')]);
    }
    const exprs = (await panels()).flatMap(({ targets }) => targets.map(({ expr }) => expr));
    for (const expr of exprs) {
      const selectors = expr.match(/\b(async_?endpoints?_|nodejs_|process_|redis_backup_|kube_)\w+(\{[^}]*\})?/g) ?? [];
      expect(selectors.filter((selector) => !selector.includes('{namespace=~"$namespace"'))).toEqual([]);
    }
  });
});

/** Of `k8s/components/worker-scaling-keda`, each with what it answers to these series. */
async function scalingTest(series: readonly string[], answers: readonly (number | null)[]): Promise<string> {
  const path = new URL('../../k8s/components/worker-scaling-keda/scaled-object.yaml', import.meta.url);
  const { spec } = parse(await readFile(path, 'utf8')) as {
    spec: { triggers: { metadata: { query: string } }[] };
  };
  const promql = spec.triggers.map(({ metadata }, index) => {
    const value = answers[index];
    return { expr: metadata.query, eval_time: '1m', exp_samples: value === null ? [] : [{ labels: '{}', value }] };
  });
  const input = series.map((line) => {
    const [text = '', value = ''] = line.split(' ');
    return { series: text.replace('{', '{namespace="async-endpoints",'), values: `${value}x5` };
  });
  const file = join(temporaryFolder(), 'scaling.yml');
  await writeFile(file, stringify({ tests: [{ interval: '1m', input_series: input, promql_expr_test: promql }] }));
  return promtool(['test', 'rules', file]);
}

describe('The queries that scale workers', () => {
  const queued = (name: string, depth: number, age: number, process = 'a') => [
    `async_endpoint_queue_depth{job_name="${name}",job_status="Queued",instance="${process}"} ${depth}`,
    `asyncendpoints_queue_oldest_age{job_name="${name}",job_status="Queued",instance="${process}"} ${age}`,
    `asyncendpoints_queue_running{job_name="${name}",instance="${process}"} 0`,
  ];
  const handles = (name: string) => `asyncendpoints_worker_handlers{job_name="${name}",instance="w"} 1`;

  it.for([
    ['answer 0 while only an API without jobs has been scraped', queued('P', 0, 0), [0, 0]],
    ['answer nothing while the store is away', [handles('P')], [null, null]],
    [
      'count each job once, however many processes tell of it',
      [...queued('P', 7, 9), ...queued('P', 7, 9, 'b'), handles('P')],
      [7, 9],
    ],
    [
      'do not count jobs that no worker handles',
      [...queued('P', 7, 9), ...queued('Orphan', 100, 9000), handles('P')],
      [7, 9],
    ],
    ['answer 0 where all jobs are such', [...queued('Orphan', 100, 9000), handles('P')], [0, 0]],
  ] as const)('%s', async ([, series, answers], test) => {
    if (!hasPrometheus()) test.skip(SKIPPED);
    expect(await scalingTest(series, answers)).toContain('SUCCESS');
  });
});

describe('/metrics of the demo, API and worker in two processes on one Redis', () => {
  let system: System;
  let processes: [api: AppProcess, worker: AppProcess];

  beforeAll(async () => {
    system = await System.start();
    processes = await Promise.all([system.api(), system.worker()]);
    const location = await processes[0].client.submit('/api/demo/unreliable', { failures: 1 });
    await processes[0].client.finished(location);
  });

  afterAll(async () => {
    await system.reset();
    await system.stop();
  });

  it('is accepted by promtool', async (test) => {
    if (!hasPrometheus()) test.skip(SKIPPED);
    for (const { client } of processes) {
      const { status, headers, body } = await client.get('/metrics');
      expect([status, headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
      expect(await promtool(['check', 'metrics'], body as string)).toBe('');
    }
  });

  it('is scraped by a real Prometheus, which reads the queue and evaluates every rule and panel', async (test) => {
    if (!hasPrometheus()) test.skip(SKIPPED);
    const [api, worker] = processes.map(({ client }) => new URL(client.url).host) as [string, string];
    const targets = { 'async-endpoints-api': [api], 'async-endpoints-worker': [worker] };
    const prometheus = await Prometheus.start({ targets });
    const value = async (expression: string) => Number((await prometheus.query(expression))[0]?.value[1]);

    await eventually(async () => (await value('sum(up)')) === 2, 20_000);
    expect(await value('max(async_endpoint_queue_depth{job_name="Unreliable",job_status="Queued"})')).toBe(0);
    expect(await value('sum(asyncendpoints_jobs_submitted_total)')).toBe(1);
    expect(await value('sum(asyncendpoints_jobs_claimed_total)')).toBe(2);
    expect(await value('sum(asyncendpoints_jobs_retried_total{error_type="DEMO_FAILURE"})')).toBe(1);
    expect(await value('sum(asyncendpoints_job_run_duration_count)')).toBe(2);
    expect(await value('count(asyncendpoints_worker_slots_limit)')).toBe(1);

    const rules = await eventually(async () => {
      const all = await prometheus.rules();
      return all.every(({ health }) => health !== 'unknown') ? all : null;
    }, 20_000);
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
    for (const { targets: queries } of await panels()) {
      for (const { expr } of queries) await expect(prometheus.query(asked(expr, '1m'))).resolves.toBeDefined();
    }
  });
});
