import { execFile, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The file that `npx async-endpoints` runs. */
export const BIN = fileURLToPath(new URL('../../libs/async-endpoints/dist/cli/main.js', import.meta.url));

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type Tool = (...args: string[]) => Promise<Outcome>;

/** The command-line tool as a process without a terminal, with these variables and no others of ours. */
export function toolWith(env: Readonly<Record<string, string>>, cwd = tmpdir()): Tool {
  return async (...args) => {
    try {
      const { stdout, stderr } = await run(process.execPath, [BIN, ...args], { cwd, env: { PATH, ...env } });
      return { code: 0, stdout, stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as Outcome;
      return { code, stdout, stderr };
    }
  };
}

const SERVER = fileURLToPath(new URL('tool-server.mjs', import.meta.url));

/** The same, in one process for all calls, until the tests of the file have ended. */
export function quickToolWith(env: Readonly<Record<string, string>>): Tool & { stop(): Promise<void> } {
  const child = fork(SERVER, { cwd: tmpdir(), env: { PATH, ...env }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const waiting = new Map<number, (outcome: Outcome) => void>();
  let calls = 0;
  child.on('message', (message) => {
    const { number, ...outcome } = message as Outcome & { number: number };
    waiting.get(number)?.(outcome);
    waiting.delete(number);
  });
  const tool: Tool = (...args) =>
    new Promise((resolve) => {
      const number = calls++;
      waiting.set(number, resolve);
      child.send({ number, args });
    });
  return Object.assign(tool, {
    async stop() {
      child.disconnect();
      if (child.exitCode === null) await once(child, 'exit');
    },
  });
}

const PATH = process.env['PATH'] ?? '';

export async function hasTerminals(): Promise<boolean> {
  return run('script', ['--version']).then(
    () => true,
    () => false,
  );
}

/** The same at a terminal, where somebody types; all that the terminal showed, and the exit code. */
export async function atTerminal(
  env: Readonly<Record<string, string>>,
  args: readonly string[],
  typed: { readonly after: RegExp; readonly text: string },
): Promise<{ code: number; shown: string }> {
  const command = [process.execPath, BIN, ...args].join(' ');
  const terminal = spawn('script', ['-qfec', command, '/dev/null'], { cwd: tmpdir(), env: { PATH, ...env } });
  let shown = '';
  let isTyped = false;
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    if (isTyped || !typed.after.test(shown)) return;
    isTyped = true;
    terminal.stdin.write(typed.text);
  });
  const [code] = (await once(terminal, 'close')) as [number];
  return { code, shown };
}
