import { JOBS_PURGED, type JobsPurged, OPERATOR_ACTION, type OperatorActionTaken } from '../observability/channels.js';
import type { JobStore } from './job-store.js';

/** Removes up to `limit` finished jobs past their retention. @returns whether there may be more */
export async function purgeSome(
  store: JobStore,
  limit: number,
  onPurged: (count: number) => void = () => {},
): Promise<boolean> {
  const count = await store.purge(limit);
  onPurged(count);
  if (count > 0) JOBS_PURGED.publish({ store, count } satisfies JobsPurged);
  return count === limit;
}

/** Tells log and metrics of this process what tools did and no other worker has told. */
export async function tellActions(store: JobStore): Promise<void> {
  for (const action of (await store.takeActions?.()) ?? []) {
    OPERATOR_ACTION.publish({ store, action } satisfies OperatorActionTaken);
  }
}
