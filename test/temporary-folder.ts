import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders: string[] = [];

/** A folder of the test file's own; gone with all that is in it when the file's tests have ended, whatever became of them. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'async-endpoints-test-'));
  folders.push(folder);
  return folder;
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
