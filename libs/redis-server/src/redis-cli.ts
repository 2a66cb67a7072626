import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What `redis-cli` prints. */
export async function redisCli(...args: string[]): Promise<string> {
  return (await run('redis-cli', args)).stdout;
}
