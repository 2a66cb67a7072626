import { readFile, stat } from 'node:fs/promises';
import { METRICS } from 'nestjs-async-endpoints/telemetry';
import { ACCEPTING, UNKNOWN_ID } from '../http/reports.js';
import { startApp } from '../http/start-app.js';
import { response, TelemetryClient } from './submitted-event.js';

const docs = new URL('../../docs/', import.meta.url);

function read(file: string | URL): Promise<string> {
  return readFile(file, 'utf8');
}

describe('docs/observability.md', () => {
  it('shows the hook that this test runs, word for word: an event per submitted job (S-84, D-1)', async () => {
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

  it('links only to what is there, and names only metrics that are', async () => {
    const text = await read(new URL('observability.md', docs));
    for (const [, link] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      await expect(stat(new URL(link as string, docs))).resolves.toBeDefined();
    }
    const named = text.match(/`(async_endpoint\.|asyncendpoints\.(jobs|queue|claims|worker|store))[a-z_.]+`/g) ?? [];
    expect(named.map((name) => name.slice(1, -1)).filter((name) => !(name in METRICS))).toEqual([]);
  });

  it('says of every alert what to do', async () => {
    const [guide, rules] = await Promise.all([
      read(new URL('observability.md', docs)),
      read(new URL('../deploy/monitoring/alerts.yml', docs)),
    ]);
    const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name as string);
    expect(alerts.filter((name) => !guide.includes(`\`${name}\``))).toEqual([]);
  });
});
