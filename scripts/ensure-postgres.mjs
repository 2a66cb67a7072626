// Finds the PostgreSQL and the PgBouncer that the tests start, or installs them if that needs no confirmation. Otherwise it
// prints how to install PostgreSQL, and the tests of PgBouncer are skipped.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';

const DEBIAN = '/usr/lib/postgresql';
const isThere = () =>
  (existsSync(DEBIAN) && readdirSync(DEBIAN).some((version) => existsSync(`${DEBIAN}/${version}/bin/initdb`))) ||
  spawnSync('sh', ['-c', 'command -v initdb && command -v postgres'], { stdio: 'ignore' }).status === 0;

const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` }; // where Debian puts it
const hasPooler = () => spawnSync('pgbouncer', ['--version'], { env, stdio: 'ignore' }).status === 0;

if (!(isThere() && hasPooler()) && process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
  console.log('Installing postgresql and pgbouncer, which the tests start for themselves…');
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  spawnSync('apt-get', ['update', '-qq'], quiet);
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'postgresql', 'pgbouncer'], quiet);
}
if (!isThere()) {
  console.error('The tests start a PostgreSQL of their own: install its server (13 or newer) first.');
  process.exit(1);
}
if (!hasPooler()) console.log('There is no pgbouncer: the tests that need it will be skipped.');
