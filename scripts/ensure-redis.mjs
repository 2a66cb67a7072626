// Finds the Redis that the tests start, or installs it if that needs no confirmation. Otherwise it prints how to
// install it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const has = (command) => spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0;
const isThere = () => has('redis-server') || has('valkey-server');

if (!isThere() && process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
  console.log('Installing redis-server, which the tests start for themselves…');
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  spawnSync('apt-get', ['update', '-qq'], quiet);
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'redis-server'], quiet);
}
if (!isThere()) {
  console.error('The tests start a Redis of their own: install redis-server (6.2 or newer) or valkey-server first.');
  process.exit(1);
}
