import { readdir, readFile, stat } from 'node:fs/promises';
import { METRICS } from 'nestjs-async-endpoints/telemetry';
import { ACCEPTING, UNKNOWN_ID } from '../http/reports.js';
import { startApp } from '../http/start-app.js';
import { alertRules } from './hasten.js';
import { HealthModule } from './health-module.controller.js';
import { response, TelemetryClient } from './submitted-event.js';

const docs = new URL('../../docs/', import.meta.url);

function read(file: string | URL): Promise<string> {
  return readFile(file, 'utf8');
}

describe('docs/observability.md', () => {
  it('shows the exact code of the hook that this test runs: an event per submitted job', async () => {
    const code = await read(new URL('submitted-event.ts', import.meta.url));
    expect(await read(new URL('observability.md', docs))).toContain('```ts\n' + code + '```\n');

    const app = await startApp('Fastify', {
      ...ACCEPTING,
      providers: [TelemetryClient],
      options: { role: 'api', response },
    });
    const submit = () => app.post('/reports', { title: 'Bees' }, { 'X-Async-Request-Id': UNKNOWN_ID });
    const [first, repeated] = [await submit(), await submit()];
    expect([first.status, repeated.status, first.header('Location')]).toEqual([202, 202, `/jobs/${UNKNOWN_ID}`]);
    expect(app.nest.get(TelemetryClient).events).toEqual([
      { name: 'JobSubmitted', properties: { JobId: UNKNOWN_ID, JobName: 'Report' } },
    ]);
  });

  it('shows the exact code of the health module that this test runs', async () => {
    const code = await read(new URL('health-module.controller.ts', import.meta.url));
    expect(await read(new URL('observability.md', docs))).toContain('```ts\n' + code + '```\n');
    const app = await startApp('Express', { ...ACCEPTING, imports: [HealthModule] });
    for (const route of ['ready', 'live']) {
      expect((await app.get(`/health/${route}`)).body).toMatchObject({ status: 'ok' });
    }
  });

  it('links only to existing files, and names only existing metrics', async () => {
    const text = await read(new URL('observability.md', docs));
    for (const [, link] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      await expect(stat(new URL(link as string, docs))).resolves.toBeDefined();
    }
    const named = text.match(/`(async_endpoint\.|asyncendpoints\.(jobs|queue|claims|worker|store))[a-z_.]+`/g) ?? [];
    expect(named.map((name) => name.slice(1, -1)).filter((name) => !(name in METRICS))).toEqual([]);
  });

  it('has a complete runbook for every alert, and no others', async () => {
    const rules = await alertRules();
    const guide = await read(new URL('observability.md', docs));
    const runbooks = await readdir(new URL('runbooks/', docs));
    expect(runbooks.toSorted()).toEqual(rules.map(({ alert }) => `${alert}.md`).toSorted());
    for (const { alert, labels, annotations } of rules) {
      expect(annotations.runbook_url).toMatch(new RegExp(`^https://runbooks\\.example\\.com/${alert}\\.md$`));
      expect(guide).toMatch(new RegExp(`\\[\`${alert}\`\\]\\(runbooks/${alert}\\.md\\) +\\| ${labels['severity']} `));
      const text = await read(new URL(`runbooks/${alert}.md`, docs));
      const headings = [...text.matchAll(/^#+ .+$/gm)].map(([heading]) => heading);
      expect(headings).toEqual([`# ${alert}`, '## Symptoms', '## Cause', '## Steps', '## Recovery']);
    }
  });
});
