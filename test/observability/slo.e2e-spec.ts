import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '@app/redis-server';
import { eventually } from 'nestjs-async-endpoints/testing';
import { AppProcess } from '../app-process.js';
import { temporaryFolder } from '../temporary-folder.js';

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: { result: { value: [at: number, value: string] }[] };
}

/** The queries of docs/slo.md. */
async function queries(): Promise<string[]> {
  const page = await readFile(new URL('../../docs/slo.md', import.meta.url), 'utf8');
  return [...page.matchAll(/```promql\n(.*?)```/gs)].map(([, query]) => query as string);
}

/** A Prometheus that scrapes one process each second; it ends with the test. */
async function startPrometheus(target: string): Promise<string> {
  const [folder, port] = [temporaryFolder(), await freePort()];
  const scrape = { job_name: 'demo', scrape_interval: '1s', static_configs: [{ targets: [target] }] };
  await writeFile(join(folder, 'prometheus.yml'), JSON.stringify({ scrape_configs: [scrape] }));
  const args = ['--config.file=prometheus.yml', '--storage.tsdb.path=data', `--web.listen-address=127.0.0.1:${port}`];
  const server = spawn('prometheus', args, { cwd: folder, stdio: 'ignore' });
  onTestFinished(async () => {
    const exited = once(server, 'exit');
    server.kill('SIGKILL');
    await exited;
  });
  return `http://127.0.0.1:${port}/api/v1/query`;
}

it(
  'Every query of docs/slo.md returns one number from 0 to 1 on a real Prometheus',
  { timeout: 60_000 },
  async (test) => {
    if (spawnSync('prometheus', ['--version']).status !== 0) test.skip('there is no prometheus here');
    const demo = await new AppProcess('api', {}).listening();
    onTestFinished(() => demo.kill());
    const { client } = demo;
    const prometheus = await startPrometheus(new URL(client.url).host);
    const ask = async (query: string) => {
      const response = await fetch(`${prometheus}?query=${encodeURIComponent(query)}`);
      const { status, error, data } = (await response.json()) as Answer;
      return status === 'success' ? (data?.result ?? []).map(({ value }) => Number(value[1])) : `${query}: ${error}`;
    };
    await eventually(async () => (await ask('sum(up)'))[0] === 1, 20_000);

    const all = await queries();
    expect(all).toHaveLength(5);
    for (const query of all) {
      const figures = await eventually(async () => {
        // A series that begins with a job has grown when there is another one.
        await client.finished(await client.submit('/api/process-data', { data: 'text' }));
        const answer = await ask(query);
        if (typeof answer === 'string' || (answer.length === 1 && Number.isFinite(answer[0]))) return answer;
        throw new Error(`Still ${answer.join()}: ${query}`);
      }, 20_000);
      expect(figures).toEqual([expect.any(Number)]);
      expect(figures[0]).toBeGreaterThanOrEqual(0);
      expect(figures[0]).toBeLessThanOrEqual(1);
    }
  },
);
