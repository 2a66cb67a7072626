import { mkdir } from 'node:fs/promises';
import type { LoggerService } from '@nestjs/common';
import { SqliteJobStore } from 'nestjs-async-endpoints/sqlite';

const FOLDER = '.data';
const PATH = `${FOLDER}/jobs.db`;
/** Setting one of these means that the user has chosen a store, or that several processes share the jobs. */
const DECIDING = ['REDIS_URL', 'REDIS_URL_FILE', 'SQLITE_PATH', 'ASYNC_STORE', 'ASYNC_ROLE'];

/**
 * The file in which the demo keeps its jobs, so that they survive Ctrl-C. Undefined when the environment sets a store,
 * and when a file is not possible here: then jobs are in memory. The log states the choice.
 */
export async function jobsFile(env: NodeJS.ProcessEnv, logger: LoggerService): Promise<string | undefined> {
  if (DECIDING.some((name) => env[name]?.trim())) return undefined;
  const reason = await obstacle();
  if (reason === null) {
    logger.log(`Jobs are kept in ${PATH}, and survive a restart`, 'Demo');
    return PATH;
  }
  logger.warn?.(`Jobs live in the memory of this process, and end with it: ${reason}`, 'Demo');
  return undefined;
}

async function obstacle(): Promise<string | null> {
  if (!(await SqliteJobStore.isAvailable())) {
    return 'SQLite needs Node 22.13, or: (cd node_modules/better-sqlite3 && npm run build-release)';
  }
  return mkdir(FOLDER, { recursive: true }).then(
    () => null,
    () => `${FOLDER} cannot be made`,
  );
}
