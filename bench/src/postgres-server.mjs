import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { freePort } from './redis-server.mjs';

/** PostgreSQL does not run as root. */
const USER = process.getuid() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {};
const SETTINGS = ['listen_addresses=127.0.0.1', 'shared_buffers=1GB', 'max_wal_size=4GB', 'max_connections=200'];
const CLOCK_TICKS = 100;
const servers = new Set();

/** A PostgreSQL of the benchmark's own: free port, temporary folder. What is committed is on disk, as it is by default. */
export async function startPostgres() {
  const { folder, data } = await createCluster();
  const port = await freePort();
  const args = ['-D', data, '-p', port, '-k', folder, ...SETTINGS.flatMap((setting) => ['-c', setting])].map(String);
  const server = spawn(join(binaries(), 'postgres'), args, { ...USER, cwd: folder, stdio: 'ignore' });
  const exited = once(server, 'exit');
  const end = () => {
    server.kill('SIGQUIT');
    rmSync(folder, { recursive: true, force: true });
  };
  process.on('exit', end);
  const pool = await connected(port);
  const stop = async () => {
    servers.delete(stop);
    await pool.end();
    server.kill('SIGQUIT');
    await exited;
    end();
    process.off('exit', end);
  };
  servers.add(stop);
  const cpuMicros = () => cpuTicks(server.pid) * (1_000_000 / CLOCK_TICKS);
  return {
    port,
    pool,
    stop,
    clear: () => clear(pool),
    cpuMicros,
    walBytes: () => walBytes(pool),
    holdSnapshot: () => holdSnapshot(pool),
  };
}

async function walBytes(pool) {
  const { rows } = await pool.query("SELECT pg_current_wal_insert_lsn() - '0/0' AS bytes");
  return Number(rows[0].bytes);
}

/** As a long report or a backup does; answers how to let go. */
async function holdSnapshot(pool) {
  const client = await pool.connect();
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await client.query('SELECT count(*) FROM pg_class');
  return async () => {
    await client.query('COMMIT');
    client.release();
  };
}

async function createCluster() {
  const folder = await mkdtemp(join(tmpdir(), 'async-endpoints-bench-'));
  if (USER.uid !== undefined) chownSync(folder, USER.uid, USER.gid);
  const data = join(folder, 'data');
  const args = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8'];
  execFileSync(join(binaries(), 'initdb'), args, { ...USER, cwd: folder });
  return { folder, data };
}

/** Stops every server that still runs: one left behind keeps the benchmark from exiting. */
export function stopPostgres() {
  return Promise.all([...servers].map((stop) => stop()));
}

/** Deletes the jobs of every side, and leaves the tables as after a vacuum. */
async function clear(pool) {
  const tables = `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
    WHERE (schemaname, tablename) NOT IN (('async_endpoints', 'migration'), ('async_endpoints', 'sweep'), ('graphile_worker', 'migrations'),
      ('graphile_worker', '_private_tasks'), ('pgboss', 'version'), ('pgboss', 'queue'), ('pgboss', 'bam'))
    AND schemaname IN ('async_endpoints', 'graphile_worker', 'pgboss', 'plain')`;
  const { rows } = await pool.query(tables);
  if (rows.length > 0) await pool.query(`TRUNCATE ${rows.map(({ name }) => name).join(', ')}`);
  await pool.query('CHECKPOINT');
}

async function connected(port) {
  for (;;) {
    const pool = new Pool({ connectionString: urlOf(port), max: 2 });
    pool.on('error', () => {});
    try {
      await pool.query('SELECT 1');
      return pool;
    } catch {
      await pool.end();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

export function urlOf(port) {
  return `postgres://postgres@127.0.0.1:${port}/postgres`;
}

/** Of all processes of the server, those that have ended included. */
function cpuTicks(server) {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  let ticks = 0;
  for (const pid of processes) {
    const fields = statOf(pid);
    // After the name of the program: 1 is the parent, 11 to 14 the time of the process and of its children that have ended.
    if (Number(pid) === server) ticks += fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    else if (fields[1] === String(server)) ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks;
}

function statOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
  } catch {
    return []; // it has ended
  }
}

/** Debian keeps the programs of each version apart, away from the path. */
function binaries() {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((one, other) => Number(other) - Number(one)) : [];
  const places = [...versions.map((version) => join(debian, version, 'bin')), ...process.env.PATH.split(':')];
  const found = places.find((place) => existsSync(join(place, 'postgres')) && existsSync(join(place, 'initdb')));
  if (!found) throw new Error('Install PostgreSQL: the benchmark starts one of its own.');
  return found;
}

function idOf(flag) {
  return Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
}
