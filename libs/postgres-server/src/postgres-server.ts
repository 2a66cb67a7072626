import { freePort } from '@app/redis-server';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from 'nestjs-async-endpoints/testing';

/** A real PostgreSQL of a test's own: on a free port, in a temporary folder, gone afterwards, whatever becomes of the test. */
export interface PostgresServer {
  /** Of the superuser, without a password, in the database `postgres`. */
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  /** By SIGQUIT, an immediate stop: nothing is written any more, and the next start recovers from the log. */
  crash(): Promise<void>;
  /** By SIGSTOP of every process of it: connections stay, and nothing is answered until {@link resume}. */
  pause(): void;
  resume(): void;
  /** After a crash: on the same port and folder. Resolves when it accepts connections. */
  restart(): Promise<void>;
  /** Starts a replica of it, which follows what is written from now on and refuses writes until it is promoted. */
  replicate(): Promise<PostgresServer>;
  /** Of a replica: it accepts writes when this resolves. */
  promote(): Promise<void>;
  /** And takes the folder away. */
  stop(): Promise<void>;
}

/** PostgreSQL does not run as root. */
const USER = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {};
/** Nothing here survives the machine, so nothing waits for its disk. */
const SETTINGS = ['fsync=off', 'max_connections=200', 'shared_buffers=64MB', 'listen_addresses=127.0.0.1'];

const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((server) => server.kill('SIGQUIT')));

/** @param settings for `postgres -c`, such as `log_statement=all` */
export async function startPostgresServer(settings: readonly string[] = []): Promise<PostgresServer> {
  const folder = await ownFolder();
  await makeCluster(join(folder, 'data'));
  return serve(folder, settings);
}

/** `initdb` takes seconds. In a test run only the first servers wait for it; the others copy what it wrote. */
async function makeCluster(data: string): Promise<void> {
  const template = process.env['POSTGRES_TEMPLATE']; // set by test/run-folder.ts
  if (template !== undefined && existsSync(template)) return run('cp', ['-a', template, data]);
  const encoding = ['-E', 'UTF8', '--locale=C.UTF-8'];
  await run(binary('initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', ...encoding, '--no-sync']);
  if (template === undefined) return;
  const copy = `${data}-template`;
  await run('cp', ['-a', data, copy]);
  await rename(copy, template).catch(() => undefined); // another test file was faster
}

async function ownFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'async-endpoints-postgres-'));
  if (USER.uid !== undefined) chownSync(folder, USER.uid, USER.gid);
  return folder;
}

async function replicaOf(port: number, settings: readonly string[]): Promise<PostgresServer> {
  const folder = await ownFolder();
  const from = ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres'];
  await run(binary('pg_basebackup'), [
    '-D',
    join(folder, 'data'),
    ...from,
    '-R',
    '-X',
    'stream',
    '-c',
    'fast',
    '--no-sync',
  ]);
  return serve(folder, settings);
}

async function serve(folder: string, settings: readonly string[]): Promise<PostgresServer> {
  const data = join(folder, 'data');
  const port = await freePort();
  const args = ['-D', data, '-p', String(port), '-k', folder];
  for (const setting of [...SETTINGS, ...settings]) args.push('-c', setting);
  let server = await start(args, folder, port);
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    port,
    folder,
    crash: () => end(server),
    pause: () => signal(server, 'SIGSTOP'),
    resume: () => signal(server, 'SIGCONT'),
    restart: async () => void (server = await start(args, folder, port)),
    replicate: () => replicaOf(port, settings),
    promote: () => run(binary('pg_ctl'), ['promote', '-w', '-D', data]),
    async stop() {
      await end(server);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function start(args: readonly string[], folder: string, port: number): Promise<ChildProcess> {
  const server = spawn(binary('postgres'), args, { ...USER, cwd: folder, stdio: 'ignore' });
  running.add(server);
  await eventually(() => accepts(port), 30_000);
  return server;
}

async function end(server: ChildProcess): Promise<void> {
  running.delete(server);
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, 'exit');
  signal(server, 'SIGCONT');
  server.kill('SIGQUIT');
  await exited;
}

/** To the server and the processes of its connections, which have groups of their own. */
function signal({ pid }: ChildProcess, name: NodeJS.Signals): void {
  const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
  for (const each of [pid as number, ...children.split('\n').filter(Boolean).map(Number)]) {
    try {
      process.kill(each, name);
    } catch {
      // One that ended meanwhile.
    }
  }
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { ...USER, cwd: tmpdir(), stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${said}`);
}

/** Whether it lets a client in. */
async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    socket.write(startup());
    const [answer] = (await once(socket, 'data')) as [Buffer];
    return answer.toString('latin1', 0, 1) === 'R'; // an error while it starts up or recovers
  } finally {
    socket.destroy();
  }
}

function startup(): Buffer {
  const text = Buffer.from('\0\x03\0\0user\0postgres\0database\0postgres\0\0', 'latin1');
  const length = Buffer.alloc(4);
  length.writeInt32BE(text.length + 4);
  return Buffer.concat([length, text]);
}

/** Debian keeps the programs of each version apart, away from the path. */
function binary(program: string): string {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((one, other) => Number(other) - Number(one)) : [];
  const places = [...versions.map((version) => join(debian, version, 'bin')), ...(process.env.PATH ?? '').split(':')];
  const found = places.find((place) => existsSync(join(place, 'postgres')) && existsSync(join(place, 'initdb')));
  if (!found) throw new Error('Install PostgreSQL 13 or newer: the tests start one of their own.');
  return join(found, program);
}

function idOf(flag: '-u' | '-g'): number {
  return Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
}
