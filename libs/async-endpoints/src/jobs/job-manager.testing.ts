import { JobPolicies } from '../options/policies.js';
import { resolveOptions } from '../options/resolve.js';
import type { JobStore } from '../store/job-store.js';
import { JobManager } from './job-manager.js';
import { JobRecords } from './job-records.js';
import { JobSchedules } from './job-schedules.js';

/** As the module makes it. */
export function jobManagerOf(store: JobStore, options = resolveOptions({}, {})): JobManager {
  const policies = new JobPolicies(options);
  const records = new JobRecords(store, policies, options);
  return new JobManager(store, records, new JobSchedules(store, policies), options);
}
