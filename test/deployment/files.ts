import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../temporary-folder.js';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const PASSWORD = 'a password of the test';

export const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

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
