import { setTimeout as sleep } from 'node:timers/promises';
import { AsyncEndpointsError } from '../../job/errors.js';
import { unavailable } from '../../store/unavailable.js';
import type { PostgresConnections } from './connections.js';
import { migrate } from './migrate.js';
import type { PostgresSettings } from './options.js';
import { unusable } from './server-log.js';

/** The deadline of a migration. */
const MIGRATION_MS = 120_000;
const AGAIN_MS = 1_000;

/**
 * Creates or migrates the schema. With `connect: 'degraded'` it resolves after the first error and repeats in the background until
 * it is done; meanwhile calls of the store fail.
 *
 * @param notify called with each new reason of a failure
 */
export async function prepareSchema(
  connections: PostgresConnections,
  { schema, connect, migrate: mayMigrate }: PostgresSettings,
  notify: (message: string) => void,
): Promise<void> {
  const prepare = () => connections.with((client) => migrate(client, schema, mayMigrate), MIGRATION_MS);
  try {
    await prepare();
  } catch (error) {
    if (connect === 'degraded') return void untilDone(prepare, error, () => connections.isOpen, notify);
    await connections.close();
    const isAway = error instanceof AsyncEndpointsError && error.code === 'STORE_UNAVAILABLE';
    throw isAway ? unavailable(error.cause, unusable(error)) : error;
  }
}

async function untilDone(
  prepare: () => Promise<void>,
  firstError: unknown,
  isOpen: () => boolean,
  notify: (message: string) => void,
): Promise<void> {
  let told = '';
  for (let error: unknown = firstError; error !== null && isOpen();) {
    const reason = unusable(error);
    if (reason !== told) notify(`${reason}; retrying`);
    told = reason;
    await sleep(AGAIN_MS, undefined, { ref: false });
    error = await prepare().then(
      () => null,
      (failure: unknown) => failure,
    );
  }
}
