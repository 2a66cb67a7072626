// Finds the Chromium in which the dashboard is tested, or installs it where that can be done unasked, or says how: its tests
// are skipped then.
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
