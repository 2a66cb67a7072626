import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '@app/redis-server';
import { eventually } from 'nestjs-async-endpoints/testing';
import { temporaryFolder } from '../temporary-folder.js';

const run = promisify(execFile);

/** The files that are to be deployed. */
export const MONITORING = fileURLToPath(new URL('../../deploy/monitoring/', import.meta.url));

export function hasPrometheus(): boolean {
  return ['promtool', 'prometheus'].every((name) => spawnSync(name, ['--version']).status === 0);
}

/** What promtool says, on either stream; it rejects where promtool objects. */
export async function promtool(args: string[], input?: string): Promise<string> {
  const running = run('promtool', args, { cwd: MONITORING });
  running.child.stdin?.end(input ?? '');
  const { stdout, stderr } = await running;
  return stdout + stderr;
}

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [at: number, value: string];
}

/** A real Prometheus with the deployed configuration, but for its targets and its haste; gone when the test ends. */
export class Prometheus {
  private constructor(private readonly url: string) {}

  /** @param targets host and port of each process to be scraped */
  static async start(targets: readonly string[]): Promise<Prometheus> {
    const folder = temporaryFolder();
    await cp(MONITORING, folder, { recursive: true });
    const config = (await readFile(join(folder, 'prometheus.yml'), 'utf8'))
      .replaceAll('15s', '1s')
      .replace(/targets: .*/, `targets: ${JSON.stringify(targets)}`);
    await writeFile(join(folder, 'prometheus.yml'), config);
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
