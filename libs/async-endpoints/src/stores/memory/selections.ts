import type { JobRecord, JobStatus } from '../../job/job.js';
import type { JobFilter } from '../../store/job-store.js';
import { Roster, type RosterItem } from './roster.js';

interface Item extends RosterItem {
  readonly job: JobRecord;
}

/**
 * The jobs of one name that have an owner or an error, in a roster for each owner and status and for each error code and status.
 */
export class Selections<T extends Item> {
  readonly #rosters = new Map<string, Roster<T>>();

  /** Call it after the item has its number. */
  enter(item: T): void {
    for (const key of keysOf(item.job.status, item.job.owner, item.job.error?.code)) {
      let roster = this.#rosters.get(key);
      if (!roster) this.#rosters.set(key, (roster = new Roster()));
      roster.append(item, item.rosterNumber);
    }
  }

  leave(item: T): void {
    for (const key of keysOf(item.job.status, item.job.owner, item.job.error?.code)) {
      const roster = this.#rosters.get(key);
      roster?.remove(item);
      if (roster?.size === 0) this.#rosters.delete(key);
    }
  }

  /** The jobs that match the filter by owner or error code. When the filter has both, only one of them is applied here. */
  of(status: JobStatus, { owner, errorCode }: JobFilter): Roster<T> | undefined {
    const [key] = keysOf(status, owner, errorCode);
    return key === undefined ? undefined : this.#rosters.get(key);
  }
}

function keysOf(status: JobStatus, owner: string | null | undefined, errorCode: string | undefined): string[] {
  const keys: string[] = [];
  if (owner != null) keys.push(`${status} owner ${owner}`);
  if (errorCode !== undefined) keys.push(`${status} error ${errorCode}`);
  return keys;
}
