// Installs an image registry and skopeo for the tests that pin images, if that needs no confirmation. Otherwise the
// tests are skipped.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const COMMANDS = ['docker-registry', 'skopeo'];
const areThere = () => COMMANDS.every((command) => spawnSync(command, ['--help'], { stdio: 'ignore' }).status === 0);

if (!areThere() && process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
  console.log('Installing docker-registry and skopeo, with which the tests pin images…');
  const quiet = { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  spawnSync('apt-get', ['update', '-qq'], quiet);
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...COMMANDS], quiet);
}
if (!areThere())
  console.log('There is no docker-registry or no skopeo here: the tests that need them will be skipped.');
