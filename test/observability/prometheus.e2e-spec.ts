import { readdir, readFile } from 'node:fs/promises';
import { type Metric, METRICS } from 'nestjs-async-endpoints/telemetry';
import { eventually } from 'nestjs-async-endpoints/testing';
import type { AppProcess } from '../app-process.js';
import { System } from '../redis/system.js';
import { hasPrometheus, MONITORING, Prometheus, promtool } from './prometheus.js';

const SKIPPED = 'there is no promtool and prometheus here';

/** As `/metrics` names them, with what histograms are made of. */
const SERIES = new Set(
  Object.entries<Metric>(METRICS).flatMap(([name, { kind }]) => {
    const base = name.replaceAll('.', '_');
    if (kind === 'histogram') return [`${base}_bucket`, `${base}_sum`, `${base}_count`];
    return [kind === 'counter' ? `${base}_total` : base];
  }),
);

describe('The files in deploy/monitoring', () => {
  it('name no metric that is not in the catalogue, and the dashboard shows every one', async () => {
    const files = await readdir(MONITORING, { recursive: true });
    const texts = files.filter((file) => /\.(yml|json)$/.test(file)).map((file) => readFile(MONITORING + file, 'utf8'));
    const named = (await Promise.all(texts)).flatMap((text) => text.match(/\basync_?endpoints?_\w+/g) ?? []);
    expect(named.length).toBeGreaterThan(50);
    expect([...new Set(named)].filter((name) => !SERIES.has(name))).toEqual([]);

    const dashboard = await readFile(`${MONITORING}grafana/async-endpoints.json`, 'utf8');
    const shown = Object.keys(METRICS).filter((name) => dashboard.includes(name.replaceAll('.', '_')));
    expect(shown).toEqual(Object.keys(METRICS));
  });

  it('hold a dashboard whose panels lie side by side, each with a query', async () => {
    const { panels } = JSON.parse(await readFile(`${MONITORING}grafana/async-endpoints.json`, 'utf8')) as {
      panels: {
        id: number;
        title: string;
        targets: { expr: string }[];
        gridPos: Record<'x' | 'y' | 'w' | 'h', number>;
      }[];
    };
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w } }) => Array.from({ length: w }, (_, i) => `${x + i},${y}`));
    expect(new Set(cells).size).toBe(cells.length);
    for (const { title, targets } of panels)
      expect([title, targets.every(({ expr }) => expr !== '')]).toEqual([title, true]);
  });

  it('hold rules that promtool accepts, and a unit test for every alert', async (test) => {
    if (!hasPrometheus()) test.skip(SKIPPED);
    expect(await promtool(['check', 'rules', 'alerts.yml'])).toContain('SUCCESS');
    expect(await promtool(['check', 'config', 'prometheus.yml'])).toContain('SUCCESS');
    expect(await promtool(['test', 'rules', 'alerts.test.yml'])).toContain('SUCCESS');
    const [rules, tests] = await Promise.all(
      ['alerts.yml', 'alerts.test.yml'].map((file) => readFile(MONITORING + file, 'utf8')),
    );
    const alerts = [...(rules ?? '').matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
    const tested = new Set([...(tests ?? '').matchAll(/alertname: (\w+)/g)].map(([, name]) => name));
    expect(alerts.filter((name) => !tested.has(name))).toEqual([]);
  });
});

describe('/metrics of the demo, API and worker apart on one Redis', () => {
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

  it('is scraped by a real Prometheus, which knows the queue and evaluates every rule and panel (S-87)', async (test) => {
    if (!hasPrometheus()) test.skip(SKIPPED);
    const prometheus = await Prometheus.start(processes.map(({ client }) => new URL(client.url).host));
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
    for (const expression of await expressions()) await expect(prometheus.query(expression)).resolves.toBeDefined();
  });
});

/** Of the dashboard, as Grafana would ask them. */
async function expressions(): Promise<string[]> {
  const { panels } = JSON.parse(await readFile(`${MONITORING}grafana/async-endpoints.json`, 'utf8')) as {
    panels: { targets: { expr: string }[] }[];
  };
  const written = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  return written.map((expr) => expr.replaceAll('$__rate_interval', '1m').replaceAll('$job_name', '.*'));
}
