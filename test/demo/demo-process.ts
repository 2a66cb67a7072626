import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

export async function hasCurl(): Promise<boolean> {
  return run('curl', ['--version']).then(
    () => true,
    () => false,
  );
}

/** Runs a shell command line and answers what it wrote. */
export async function shell(line: string): Promise<string> {
  return (await run('sh', ['-c', line])).stdout;
}

/** The built application in a process of its own. */
export class DemoProcess {
  output = '';
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<unknown>;

  constructor(port: string) {
    const env = { ...process.env, PORT: port, NO_COLOR: '1' };
    this.#child = spawn(process.execPath, ['dist/apps/api/src/main.js'], { cwd: ROOT, env });
    this.#ended = once(this.#child, 'close');
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        this.#child.emit('written');
      });
    }
  }

  /** Waits until it has written this, and answers the first group of it. */
  written(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(this.output);
        if (!match) return;
        this.#child.off('written', look);
        resolve(match[1] ?? match[0]);
      };
      this.#child.on('written', look);
      this.#child.once('close', () => reject(new Error(`It ended without ${String(pattern)}:\n${this.output}`)));
      look();
    });
  }

  terminate(): void {
    this.#child.kill('SIGTERM');
  }

  /** Its exit code, once it has ended and all that it wrote is here. */
  async exitCode(): Promise<number | null> {
    await this.#ended;
    return this.#child.exitCode;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
