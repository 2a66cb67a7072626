import { createStore } from '../config/create-store.js';
import type { ResolvedSettings } from '../config/read-settings.js';
import { subscribe } from '../events/channels.js';
import type { JobStore } from '../store/job-store.js';
import { ActionReport } from './action-report.js';
import { say } from './exit.js';
import { requirePackages } from './packages.js';
import { isLogged } from './print.js';
import { requireFile, settingsOf, type StoreFlags } from './settings.js';

/** The options of the command line for the connection and the output. */
export interface SessionFlags extends StoreFlags {
  readonly json?: boolean;
  readonly yes?: boolean;
}

/** The connection and the output format of a command. */
export interface Session {
  /** The open store, with the configuration of the application. */
  readonly store: JobStore;
  readonly settings: ResolvedSettings;
  /** Whether to write JSON. */
  readonly json: boolean;
  /** Whether to skip confirmations. */
  readonly yes: boolean;
}

/** Connects, runs the work and disconnects. */
export async function withSession<T>(flags: SessionFlags, work: (session: Session) => Promise<T>): Promise<T> {
  const settings = settingsOf(flags);
  requireFile(settings);
  requirePackages(...driversOf(settings));
  const store = (await createStore(settings)) as JobStore;
  const report = new ActionReport(store);
  const warnings: string[] = [];
  const unsubscribe = subscribe(store, { notice: ({ message }) => warnings.push(message) });
  try {
    await store.open();
    for (const warning of warnings) say(`warning: ${warning}`, 'warn');
    report.open();
    return await work({ store, settings, json: flags.json ?? isLogged(), yes: flags.yes ?? false });
  } finally {
    await report.close();
    unsubscribe();
    await store.close();
  }
}

/** SQLite says itself which driver it lacks. */
export function driversOf({ store }: ResolvedSettings): ('ioredis' | 'pg')[] {
  if (store === 'redis') return ['ioredis'];
  return store === 'postgres' ? ['pg'] : [];
}
