import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startChild } from '../child.mjs';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('load.lua', import.meta.url));

/** The load generator, in a separate process: wrk, or autocannon, which needs more CPU. */
export const generator = await run('wrk', ['--version']).then(
  () => 'wrk',
  ({ code }) => (code === 'ENOENT' ? 'autocannon' : 'wrk'), // it exits with 1 even when it works
);

/** Posts requests that are numbered from 0, `connections` at a time. */
export function submitLoad(url, shape) {
  return generate({ ...shape, url });
}

/** Requests these paths in turn, with the known entity tags. */
export function readLoad(url, reads, shape) {
  return generate({ ...shape, url, reads });
}

/** @throws Error when a response is missing or not successful */
async function generate(load) {
  const outcome = await (generator === 'wrk' ? byWrk(load) : byAutocannon(load));
  if (outcome.failed > 0) throw new Error(`Of ${outcome.requests} requests ${outcome.failed} failed: ${outcome.how}`);
  return { ...outcome, perSecond: outcome.requests / outcome.seconds };
}

async function byWrk({ url, seconds, connections, reads }) {
  const folder = await mkdtemp(join(tmpdir(), 'async-endpoints-load-'));
  try {
    const file = join(folder, 'reads');
    if (reads) await writeFile(file, reads.map(({ path, entityTag = '' }) => `${path} ${entityTag}`).join('\n'));
    // One thread, because it counts the numbers.
    const shape = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '30s', '-s', SCRIPT, url];
    const { stdout } = await run('wrk', [...shape, '--', ...(reads ? ['read', file] : ['submit'])]);
    return JSON.parse(stdout.trim().split('\n').at(-1));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function byAutocannon(load) {
  const child = startChild('../load/autocannon.mjs');
  try {
    return await child.call('run', load);
  } finally {
    await child.stop();
  }
}
