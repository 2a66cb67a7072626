import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const PASSWORD = 'a password of the test';

export const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

const folders: string[] = [];
process.once('exit', () => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** A folder of the test file's own; gone when its process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'async-endpoints-deployment-'));
  folders.push(folder);
  return folder;
}

/** `k8s` as it is when the guide's secrets have been made. */
export function copyOfK8s(): string {
  const folder = join(temporaryFolder(), 'k8s');
  cpSync(join(ROOT, 'k8s'), folder, { recursive: true, filter: (path) => !path.endsWith('/secrets') });
  for (const overlay of ['production', 'managed-redis', 'blue-green/live']) {
    writeWithFolders(join(folder, 'overlays', overlay, 'secrets/redis-password'), PASSWORD);
  }
  return folder;
}

export function writeWithFolders(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}
