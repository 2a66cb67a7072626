import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Runs a command to its end. @throws Error with the last lines of what it wrote */
export async function run(command, args, { cwd, env = {}, timeoutMs = 600_000 } = {}) {
  const options = { cwd, env: { ...process.env, CI: 'true', ...env }, timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 };
  try {
    const { stdout } = await execute(command, args, options);
    return stdout;
  } catch (error) {
    const lines = `${error.stdout ?? ''}\n${error.stderr ?? ''}`.trim().split('\n');
    throw new Error(`${command} ${args.join(' ')} failed:\n${lines.slice(-30).join('\n')}`, { cause: error });
  }
}
