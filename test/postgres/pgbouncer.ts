import { freePort } from '@app/redis-server';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { eventually } from 'nestjs-async-endpoints/testing';
import { temporaryFolder } from '../temporary-folder.js';

/** Debian puts it where only administrators look. */
const PATH = `${process.env['PATH']}:/usr/sbin`;

/** Whether PgBouncer is installed. */
export const hasPgBouncer = spawnSync('pgbouncer', ['--version'], { env: { PATH }, stdio: 'ignore' }).status === 0;

/** It refuses to run as root. */
const USER = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** A real PgBouncer in transaction mode, before the server at this port. Gone when the test ends. @returns its URL */
export async function startPgBouncer(target: number): Promise<string> {
  const [port, folder] = [await freePort(), temporaryFolder()];
  await chmod(folder, 0o755);
  const settings = join(folder, 'pgbouncer.ini');
  const lines = [
    '[databases]',
    `postgres = host=127.0.0.1 port=${target} user=postgres`,
    '[pgbouncer]',
    `listen_addr = 127.0.0.1`,
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = any',
    'pool_mode = transaction',
    'default_pool_size = 2', // so that statements of one client meet those of another on a connection
  ];
  await writeFile(settings, lines.join('\n'), { mode: 0o644 });
  const child = spawn('pgbouncer', [settings], { ...USER, env: { PATH }, stdio: 'ignore' });
  const closed = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGQUIT');
    await closed;
  });
  await eventually(() => accepts(port), 30_000);
  return `postgres://postgres@127.0.0.1:${port}/postgres`;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
}
