import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from 'nestjs-async-endpoints/testing';
import { freePort } from './free-port.js';

/** A real Redis of a test's own: on a free port, in a temporary folder, gone afterwards, whatever becomes of the test. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** Where it writes what it keeps. */
  readonly folder: string;
  /** By SIGKILL, as a power cut would. What it has written to its folder stays. */
  crash(): Promise<void>;
  /** By SIGSTOP: connections stay, and nothing is answered until {@link resume}. */
  pause(): void;
  resume(): void;
  /** After a crash: on the same port and folder. Resolves when it answers. */
  restart(): Promise<void>;
  /** And takes the folder away. */
  stop(): Promise<void>;
}

/** @param args for `redis-server`, which would keep nothing on disk without them */
export function startRedisServer(args: readonly string[] = []): Promise<RedisServer> {
  return start((port, folder) => {
    const where = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
    return Promise.resolve([...where, '--save', '', ...args]);
  });
}

/** With settings that it can rewrite itself, as only a file's can be. */
export function startRedisServerWithFile(lines: readonly string[], args: readonly string[]): Promise<RedisServer> {
  return start(async (port, folder) => {
    const file = join(folder, 'redis.conf');
    await writeFile(file, [`port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, ...lines, ''].join('\n'));
    return [file, ...args];
  });
}

const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((server) => server.kill('SIGKILL')));

async function start(argsFor: (port: number, folder: string) => Promise<string[]>): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'async-endpoints-redis-'));
  const port = await freePort();
  const args = await argsFor(port, folder);
  let server: ChildProcess;
  const restart = async (): Promise<void> => {
    server = spawn(command(), args, { stdio: 'ignore' });
    running.add(server);
    await eventually(() => ping(port));
  };
  const crash = async (): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit');
    server.kill('SIGKILL');
    await exited;
    running.delete(server);
  };
  await restart();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    folder,
    crash,
    pause: () => void server.kill('SIGSTOP'),
    resume: () => void server.kill('SIGCONT'),
    restart,
    async stop() {
      await crash();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function ping(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    socket.write('PING\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    return answer.toString() === '+PONG\r\n'; // it says -LOADING while it reads what it had written
  } finally {
    socket.destroy();
  }
}

/** `npm test` has made sure that there is one. */
function command(): string {
  const found = ['redis-server', 'valkey-server'].find((name) => spawnSync(name, ['--version']).status === 0);
  if (!found) throw new Error('Install redis-server or valkey-server: the tests start one of their own.');
  return found;
}
