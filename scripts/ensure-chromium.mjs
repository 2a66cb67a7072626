// Finds the Chromium for the tests of the dashboard, or installs it if that needs no confirmation. Otherwise it prints
// how to install it, and the tests are skipped.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const isThere = () => existsSync('/usr/bin/chromium');

if (!isThere() && process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
  console.log('Installing chromium, in which the dashboard is tested…');
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  spawnSync('apt-get', ['update', '-qq'], quiet);
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], quiet);
}
if (!isThere())
  console.warn('The tests of the dashboard are skipped: install chromium as /usr/bin/chromium to run them.');
