import { mkdir } from 'node:fs/promises';
import type { LoggerService } from '@nestjs/common';
import { SqliteJobStore } from 'nestjs-async-endpoints/sqlite';

const FOLDER = '.data';
const PATH = `${FOLDER}/jobs.db`;
/** Whoever says one of these has decided where jobs live, or that several processes share them. */
const DECIDING = ['REDIS_URL', 'REDIS_URL_FILE', 'SQLITE_PATH', 'ASYNC_STORE', 'ASYNC_ROLE'];

/**
 * The file in which the demo keeps its jobs, so that they survive Ctrl-C. Undefined when the environment says where jobs live, and
 * when that is impossible here: then they live in memory. The log says which.
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
