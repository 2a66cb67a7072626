import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

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
