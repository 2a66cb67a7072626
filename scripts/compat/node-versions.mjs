import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './run.mjs';

/**
 * Installs Node.js versions from npm.
 *
 * @returns by version, the folder that holds the binary and its full version
 */
export async function installNodes(folder, versions) {
  const installed = new Map();
  for (const version of versions) {
    const bin = version === 'current' ? join(process.execPath, '..') : await installNode(folder, version);
    installed.set(version, { bin, version: (await run(join(bin, 'node'), ['--version'])).trim() });
  }
  return installed;
}

/** The package `node` only picks one of these, by an install script, which npm may refuse to run. */
const PACKAGE = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;

async function installNode(folder, version) {
  const prefix = join(folder, `node-${version}`);
  await mkdir(prefix, { recursive: true });
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline'];
  await run('npm', ['install', '--prefix', prefix, ...quiet, `${PACKAGE}@${version}`]);
  return join(prefix, 'node_modules', PACKAGE, 'bin');
}
