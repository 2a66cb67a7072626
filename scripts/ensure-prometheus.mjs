// Has Prometheus for the tests that have it scrape the demo, where it can be had unasked; they are skipped where it cannot.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const isThere = () => spawnSync('promtool', ['--version'], { stdio: 'ignore' }).status === 0;

if (!isThere() && process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
  console.log('Installing prometheus, which the tests have scrape the demo…');
  const quiet = { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  spawnSync('apt-get', ['update', '-qq'], quiet);
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'prometheus'], quiet);
}
if (!isThere()) console.log('There is no promtool here: the tests that need Prometheus will be skipped.');
