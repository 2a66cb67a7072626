import { createStore } from '../config/create-store.js';
import { readSettings, type ResolvedSettings } from '../config/read-settings.js';
import { STORE_NOTICE, type StoreNotice } from '../events/channels.js';
import { readNumber } from '../options/rules.js';
import type { RedisJobStore } from '../stores/redis/redis-job-store.js';
import { ActionReport } from './action-report.js';
import { say } from './exit.js';
import { isLogged } from './print.js';

/** What the command line may say of where the jobs are, and how to speak of them. */
export interface SessionFlags {
  readonly redisUrl?: string;
  readonly prefix?: string;
  readonly partitions?: string;
  readonly json?: boolean;
  readonly yes?: boolean;
}

/** What a command has to work with. */
export interface Session {
  /** Of the application whose configuration is found here; open. */
  readonly store: RedisJobStore;
  readonly settings: ResolvedSettings;
  /** Whether to write JSON. */
  readonly json: boolean;
  /** Whether not to ask. */
  readonly yes: boolean;
}

/** Connects for as long as the work takes. */
export async function withSession<T>(flags: SessionFlags, work: (session: Session) => Promise<T>): Promise<T> {
  const settings = settingsOf(flags);
  const store = (await createStore(settings)) as RedisJobStore;
  const report = new ActionReport(store);
  const warnings: string[] = [];
  const warn = (notice: unknown) => void warnings.push((notice as StoreNotice).message);
  STORE_NOTICE.subscribe(warn);
  try {
    await store.open();
    for (const warning of warnings) say(`warning: ${warning}`, 'warn');
    report.open();
    return await work({ store, settings, json: flags.json ?? isLogged(), yes: flags.yes ?? false });
  } finally {
    await report.close();
    STORE_NOTICE.unsubscribe(warn);
    await store.close();
  }
}

/** @throws AsyncEndpointsError `INVALID_OPTION` */
function settingsOf({ redisUrl: url, prefix, partitions }: SessionFlags): ResolvedSettings {
  // A number that is none is refused with the words of the configuration.
  const number = partitions === undefined ? undefined : (readNumber(partitions) as number);
  return readSettings({}, { store: 'redis', redis: { url, prefix, partitions: number, connect: 'fail-fast' } });
}
