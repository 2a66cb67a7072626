import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from 'nestjs-async-endpoints/testing';
import { DemoClient } from './demo/demo-client.js';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const MAIN = {
  api: 'dist/apps/api/src/main.js',
  worker: 'dist/apps/worker/src/main.js',
  probe: 'test/stores/probe-worker.mjs',
  demo: 'test/stores/demo-app.mjs',
  next: 'test/rollout/next-release.mjs',
  slow: 'test/observability/slow-shutdown.mjs',
};

export type App = keyof typeof MAIN;

/** A built application in a separate process. */
export class AppProcess {
  /** Its output so far. */
  output = '';
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<unknown>;
  #client: DemoClient | undefined;

  /** @param folder the folder of the built application */
  constructor(app: App, settings: Readonly<Record<string, string>>, folder = ROOT) {
    if (!existsSync(join(folder, MAIN.worker)))
      throw new Error('Build what is to be tested: npx nest build api worker');
    const isSaid = ['REDIS_URL', 'SQLITE_PATH', 'ASYNC_STORE', 'ASYNC_ROLE'].some((name) => name in settings);
    const store = app === 'api' && !isSaid && { ASYNC_STORE: 'memory' }; // otherwise tests would share a file
    const env = { ...process.env, PORT: '0', NO_COLOR: '1', ...store, ...settings };
    this.#child = spawn(process.execPath, [MAIN[app]], { cwd: folder, env });
    this.#ended = once(this.#child, 'close').then(() => this.#refuseUncaught());
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
  }

  /** Makes Vitest fail the run after an uncaught error in the process, whatever the test expects. */
  #refuseUncaught(): void {
    const isUncaught = /^Node\.js v\d+\.\d+/m.test(this.output);
    if (isUncaught) void Promise.reject(new Error(`A process has ended of an uncaught error:\n${this.output}`));
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** A client of the process, when it listens. */
  get client(): DemoClient {
    if (!this.#client) throw new Error(`It does not listen yet:\n${this.output}`);
    return this.#client;
  }

  async listening(): Promise<this> {
    this.#client = new DemoClient(await this.written(/http:\/\/localhost:\d+/));
    return this;
  }

  /** Waits until the process has written this, and returns it. */
  async written(pattern: RegExp): Promise<string> {
    const died = this.#ended.then(() => Promise.reject(new Error(`It ended without ${pattern}:\n${this.output}`)));
    const late = () => Promise.reject(new Error(`It has not written ${pattern} within 30 s:\n${this.output}`));
    const [found] = await Promise.race([eventually(() => pattern.exec(this.output), 30_000).catch(late), died]);
    return found;
  }

  /** The number of times that it has written this. */
  count(text: string): number {
    return this.output.split(text).length - 1;
  }

  /** The number of jobs that its worker runs now. */
  async running(): Promise<number> {
    const { body } = await this.client.get('/health/live');
    return (body as { details: { worker: { running: number } } }).details.worker.running;
  }

  /** Closes the reader of its output. */
  closeOutput(): void {
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream.destroy();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Its exit code, or null when a signal ended it. Resolves after its whole output was read. */
  async exitCode(): Promise<number | null> {
    await this.#ended;
    return this.#child.exitCode;
  }

  /** Kills the process with SIGKILL, like the loss of a machine. It also kills a stopped process. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#ended;
  }
}
