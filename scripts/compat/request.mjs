import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const BOOT_MS = 60_000;

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts the built application, submits a job, waits for its result and ends the process. @throws Error when one does not work */
export async function request(folder, { bin }, redisUrl) {
  const port = await freePort();
  const env = { ...process.env, PORT: String(port), REDIS_URL: redisUrl };
  const server = spawn(join(bin, 'node'), ['dist/main.js'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (chunk) => (output += chunk));
  const exited = once(server, 'exit');
  try {
    await submit(`http://127.0.0.1:${port}/process-data`, server);
  } catch (error) {
    throw new Error(`${error.message}\n${output.slice(-3_000)}`, { cause: error });
  } finally {
    if (server.exitCode === null) server.kill('SIGKILL');
    await exited;
  }
  if (/ExperimentalWarning/.test(output)) throw new Error(`A warning was printed:\n${output}`);
}

async function submit(url, server) {
  const response = await whenReady(url, server);
  const { status, result } = await response.json();
  if (response.status === 200 && status === 'Completed' && result.processedData === 'Processed: TEXT') return;
  throw new Error(`The answer was ${response.status} ${status}.`);
}

async function whenReady(url, server) {
  const headers = { 'content-type': 'application/json', prefer: 'wait=20' };
  const deadline = Date.now() + BOOT_MS;
  for (;;) {
    if (server.exitCode !== null) throw new Error(`The application ended with ${server.exitCode}.`);
    try {
      return await fetch(url, { method: 'POST', headers, body: '{"data":"text"}' });
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(100);
    }
  }
}
