import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'async-endpoints-run-';

/** All temporary files of a run are in one folder, which goes with it: those of processes that were killed, too. */
export function setup(): (() => void) | undefined {
  const outside = tmpdir();
  if (outside.includes(PREFIX)) return undefined; // of another project of this run
  const folder = mkdtempSync(join(outside, PREFIX));
  chmodSync(folder, 0o711); // PostgreSQL passes through it as a user of its own
  process.env.TMPDIR = folder;
  process.env.POSTGRES_TEMPLATE = join(folder, 'postgres-template');
  return () => {
    process.env.TMPDIR = outside;
    delete process.env.POSTGRES_TEMPLATE;
    rmSync(folder, { recursive: true, force: true });
  };
}
