import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('../../k8s/components/backup/', import.meta.url));

export const SCRIPTS = ['redis-backup.sh', 'redis-restore.sh'].map((name) => folder + name) as [string, string];

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export const backUp = (env: Readonly<Record<string, string>>) => script(SCRIPTS[0], [], env);
export const restore = (env: Readonly<Record<string, string>>, ...args: string[]) => script(SCRIPTS[1], args, env);

/** Runs one with these variables and no others. */
async function script(path: string, args: string[], env: Readonly<Record<string, string>>): Promise<Outcome> {
  try {
    const { stdout, stderr } = await run('sh', [path, ...args], { env: { PATH: process.env['PATH'], ...env } });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as Outcome;
    return { code, stdout, stderr };
  }
}
