// Finds SQLite for the tests: built into Node.js from 22.13 on, otherwise better-sqlite3, which is compiled if needed.
// `npm ci` runs no scripts of packages (see .npmrc), so that this is the one place where one is run.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';

const require = createRequire(import.meta.url);
const has = (command) => spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0;

function isThere() {
  try {
    const Database = require('better-sqlite3');
    new Database(':memory:').close();
    return true;
  } catch {
    return false;
  }
}

if (!isThere()) {
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  const hasCompiler = () => ['g++', 'make', 'python3'].every(has);
  if (!hasCompiler() && process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    console.log('Installing a compiler, which better-sqlite3 needs once…');
    spawnSync('apt-get', ['update', '-qq'], quiet);
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'g++', 'make', 'python3'], quiet);
  }
  console.log('Compiling better-sqlite3, which takes some two minutes, once…');
  // Its own command, because `allowScripts` in package.json keeps npm from running the one of an installation.
  const cwd = dirname(require.resolve('better-sqlite3/package.json'));
  spawnSync('npm', ['run', 'build-release', '--ignore-scripts=false'], { ...quiet, cwd });
}
if (!isThere()) {
  console.error(
    'The tests of SqliteJobStore need better-sqlite3: (cd node_modules/better-sqlite3 && npm run build-release)',
  );
  process.exit(1);
}
