import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../temporary-folder.js';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const PASSWORD = 'a "password" of the $test';
/** By the name of their file. */
export const PASSWORDS = {
  'redis-password': PASSWORD,
  'redis-backup-password': 'of backups',
  'redis-operator-password': 'of operators',
};

const SECRETS = { ...PASSWORDS, 'postgres-password': PASSWORD, 's3-access-key': 'S3RVER', 's3-secret-key': 'S3RVER' };

export const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** `k8s` as it is when the guide's secrets have been made. */
export function copyOfK8s(): string {
  const folder = join(temporaryFolder(), 'k8s');
  cpSync(join(ROOT, 'k8s'), folder, { recursive: true, filter: (path) => !path.endsWith('/secrets') });
  for (const overlay of ['production', 'managed-redis', 'managed-postgres', 'blue-green/live']) {
    const secrets = join(folder, 'overlays', overlay, 'secrets');
    for (const [name, secret] of Object.entries(SECRETS)) writeWithFolders(join(secrets, name), secret);
  }
  return folder;
}

export function writeWithFolders(path: string, text: string | Buffer): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}
