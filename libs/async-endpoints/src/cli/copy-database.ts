import { open, rename, rm } from 'node:fs/promises';
import { openDatabase, translated } from '../stores/sqlite/driver.js';
import type { readOptions } from '../stores/sqlite/options.js';
import { whenFree } from '../stores/sqlite/transactions.js';

type Options = Pick<ReturnType<typeof readOptions>, 'path' | 'driver' | 'busyTimeoutMs'>;

/**
 * Copies the database of a store to a file: a durable, consistent snapshot. Other processes can read and write meanwhile.
 *
 * @param target the new file, which appears when it is complete
 * @throws AsyncEndpointsError as {@link translated}
 */
export async function copyDatabase({ path, driver, busyTimeoutMs }: Options, target: string): Promise<void> {
  const partial = `${target}.partial`;
  await rm(partial, { force: true });
  const database = await openDatabase(path, driver);
  try {
    await whenFree(busyTimeoutMs, () => database.prepare('VACUUM INTO ?').run(partial));
  } catch (error) {
    await rm(partial, { force: true });
    throw translated(error, path);
  } finally {
    database.close();
  }
  const file = await open(partial, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, target);
}
