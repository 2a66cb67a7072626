// Installs Prometheus and node_exporter for the tests that scrape the demo, where that is possible without asking. Else these
// tests are skipped.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const missing = () =>
  ['prometheus', 'prometheus-node-exporter'].filter(
    (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status !== 0,
  );

if (missing().length > 0 && process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
  console.log(`Installing ${missing().join(' and ')} for the tests that scrape the demo…`);
  const quiet = { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  spawnSync('apt-get', ['update', '-qq'], quiet);
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing()], quiet);
}
if (missing().length > 0)
  console.log(`There is no ${missing().join(' and ')}: the tests that need it will be skipped.`);
