import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const COMPONENT = fileURLToPath(new URL('../../k8s/components/backup/', import.meta.url));

export const SCRIPTS = ['redis-backup.sh', 'redis-restore.sh', 'redis-offsite.sh'].map((name) => COMPONENT + name) as [
  string,
  string,
  string,
];

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export const backUp = (env: Readonly<Record<string, string>>) => script(SCRIPTS[0], [], env);
export const restore = (env: Readonly<Record<string, string>>, ...args: string[]) => script(SCRIPTS[1], args, env);

export const offsite = (env: Readonly<Record<string, string>>, ...args: string[]) => script(SCRIPTS[2], args, env);

const script = (path: string, args: string[], env: Readonly<Record<string, string>>) =>
  runCommand('sh', [path, ...args], env);

/** Runs it with these variables and no others. */
export async function runCommand(
  program: string,
  args: string[],
  env: Readonly<Record<string, string>>,
): Promise<Outcome> {
  try {
    const { stdout, stderr } = await run(program, args, { env: { PATH: process.env['PATH'], ...env } });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as Outcome;
    return { code, stdout, stderr };
  }
}
