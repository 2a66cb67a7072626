// Finds the PostgreSQL that the tests start, or installs it if that needs no confirmation. Otherwise it prints how to
// install it.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';

const DEBIAN = '/usr/lib/postgresql';
const isThere = () =>
  (existsSync(DEBIAN) && readdirSync(DEBIAN).some((version) => existsSync(`${DEBIAN}/${version}/bin/initdb`))) ||
  spawnSync('sh', ['-c', 'command -v initdb && command -v postgres'], { stdio: 'ignore' }).status === 0;

if (!isThere() && process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
  console.log('Installing postgresql, which the tests start for themselves…');
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  spawnSync('apt-get', ['update', '-qq'], quiet);
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'postgresql'], quiet);
}
if (!isThere()) {
  console.error('The tests start a PostgreSQL of their own: install its server (13 or newer) first.');
  process.exit(1);
}
