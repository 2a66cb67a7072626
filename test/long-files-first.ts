import { existsSync } from 'node:fs';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const ROOT = new URL('../', import.meta.url).pathname;

/**
 * Small files that take longer than 20 s. A clean clone has no durations of an earlier run, so Vitest begins with the
 * largest files, and these would run alone at the end. They wait for no process, so they run well beside those that do.
 */
const LONG_FILES = [
  'libs/async-endpoints/src/stores/postgres/postgres-job-store.spec.ts',
  'libs/async-endpoints/src/stores/sqlite/sqlite-job-store.spec.ts',
  'libs/async-endpoints/src/stores/redis/cluster.spec.ts',
];

const missing = LONG_FILES.filter((file) => !existsSync(ROOT + file));
if (missing.length > 0)
  throw new Error(`test/long-files-first.ts names files that do not exist: ${missing.join(', ')}`);

/** Starts these files first, then the largest, so that no worker is idle while the last file runs. */
export class LongFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONG_FILES.indexOf(moduleId.slice(ROOT.length));
      return at === -1 ? LONG_FILES.length : at;
    };
    // oxlint-disable-next-line unicorn/no-array-sort -- it is the sort of the sequencer
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}
