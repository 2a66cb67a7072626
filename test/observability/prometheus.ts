import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '@app/redis-server';
import { eventually } from 'nestjs-async-endpoints/testing';
import { parse, stringify } from 'yaml';
import { figure } from '../redis/system.js';
import { temporaryFolder } from '../temporary-folder.js';

const run = promisify(execFile);

const FIRE_MS = 90_000;

/** The files that are to be deployed. */
export const MONITORING = fileURLToPath(new URL('../../deploy/monitoring/', import.meta.url));

export function hasPrometheus(): boolean {
  return ['promtool', 'prometheus', 'prometheus-node-exporter'].every(
    (name) => spawnSync(name, ['--version']).status === 0,
  );
}

/** What promtool says, on either stream; it rejects where promtool objects. */
export async function promtool(args: string[], input?: string): Promise<string> {
  const running = run('promtool', args, { cwd: MONITORING });
  running.child.stdin?.end(input ?? '');
  const { stdout, stderr } = await running;
  return stdout + stderr;
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [at: number, value: string];
}

/** Of `prometheus.yml`, as far as the tests change it. */
interface Configuration {
  readonly global: Record<string, string>;
  readonly rule_files: string[];
  readonly scrape_configs: { job_name: string; dns_sd_configs?: object; static_configs?: object }[];
}

export interface PrometheusOptions {
  /** Host and port of each process, by the `job_name` that finds it where it is deployed. */
  readonly targets: Readonly<Record<string, readonly string[]>>;
  readonly scrapeInterval?: string;
  /** The rules instead of those of alerts.yml, such as the same in haste. */
  readonly alerts?: string;
}

/** A real Prometheus with the deployed configuration, but with other targets and shorter intervals. Ends with the test. */
export class Prometheus {
  #asked = performance.now();

  private constructor(private readonly url: string) {}

  static async start({ targets, scrapeInterval = '1s', alerts }: PrometheusOptions): Promise<Prometheus> {
    const folder = temporaryFolder();
    const deployed = parse(await readFile(`${MONITORING}prometheus.yml`, 'utf8'), { merge: true }) as Configuration;
    const hasty = {
      ...deployed,
      global: { scrape_interval: scrapeInterval, evaluation_interval: scrapeInterval },
      // Docker's DNS is not here.
      scrape_configs: deployed.scrape_configs.map((config) => ({
        ...config,
        dns_sd_configs: undefined,
        static_configs: [{ targets: targets[config.job_name] ?? [] }],
      })),
    };
    await writeFile(join(folder, 'prometheus.yml'), stringify(hasty, { aliasDuplicateObjects: false }));
    await writeFile(join(folder, 'alerts.yml'), alerts ?? (await readFile(`${MONITORING}alerts.yml`, 'utf8')));
    const port = await freePort();
    const server = spawn(
      'prometheus',
      ['--config.file=prometheus.yml', '--storage.tsdb.path=data', `--web.listen-address=127.0.0.1:${port}`],
      { cwd: folder, stdio: 'ignore' },
    );
    onTestFinished(() => stop(server));
    const prometheus = new Prometheus(`http://127.0.0.1:${port}`);
    await eventually(async () => (await fetch(`${prometheus.url}/-/ready`)).ok, 20_000);
    return prometheus;
  }

  async query(expression: string): Promise<Sample[]> {
    return (await this.#api<{ result: Sample[] }>(`query?query=${encodeURIComponent(expression)}`)).result;
  }

  /** The names of the alerts that fire, or have fired. */
  async fired(within = '1h'): Promise<string[]> {
    const samples = await this.query(`count by (alertname) (last_over_time(ALERTS{alertstate="firing"}[${within}]))`);
    return samples.map(({ metric }) => metric['alertname'] as string).toSorted();
  }

  /** Waits until these have fired. */
  async fires(...names: string[]): Promise<void> {
    const wanted = names.map((name) => `AsyncEndpoints${name}`);
    const seen = new Set<string>();
    await eventually(async () => {
      const fired = await this.fired();
      for (const name of wanted.filter((one) => fired.includes(one) && !seen.has(one))) {
        seen.add(name);
        figure(`${name} fired after ${((performance.now() - this.#asked) / 1_000).toFixed(1)} s`);
      }
      if (wanted.every((name) => seen.has(name))) return true;
      await sleep(100); // not to ask Prometheus all the time
      throw new Error(`${wanted.filter((name) => !seen.has(name)).join(', ')} did not fire: ${await this.#now()}`);
    }, FIRE_MS);
    this.#asked = performance.now();
  }

  /** For whoever reads why an alert did not fire. */
  async #now(): Promise<string> {
    const all = [
      'up',
      'ALERTS',
      '{__name__=~"asyncendpoints_store_.*",__name__!~".*duration.*"}',
      'process_memory_usage',
    ];
    const samples = (await Promise.all(all.map((expression) => this.query(expression)))).flat();
    return samples.map(({ metric, value }) => `${JSON.stringify(metric)} ${value[1]}`).join('\n');
  }

  /** Each with its health: ok, err or unknown, evaluated or not. */
  async rules(): Promise<{ name: string; health: string }[]> {
    const { groups } = await this.#api<{ groups: { rules: { name: string; health: string }[] }[] }>('rules');
    return groups.flatMap(({ rules }) => rules);
  }

  async #api<T>(path: string): Promise<T> {
    const { status, data, error } = (await (await fetch(`${this.url}/api/v1/${path}`)).json()) as {
      status: string;
      data: T;
      error?: string;
    };
    if (status === 'success') return data;
    throw new Error(error);
  }
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return;
  const exited = once(server, 'exit');
  server.kill('SIGKILL');
  await exited;
}
