import { checkInteger } from '../../job/bounds.js';
import { agingOf, type PriorityAging } from '../../store/fairness.js';
import { monotonicNow } from '../../store/sweeps.js';

export interface MemoryJobStoreOptions extends PriorityAging {
  /** The store's clock, in milliseconds since the epoch. It must not go back. Default: the time since the process began. */
  now?: (() => number) | undefined;
  /**
   * How much memory terminal jobs may take, in bytes: their payloads, results and errors in UTF-8, and 720 for each job. Above
   * it, the jobs that ended first are purged before their retention is over. The last job always stays. An integer from 1.
   * Default 268,435,456 (256 MiB).
   */
  maxFinishedBytes?: number | undefined;
}

const MAX_FINISHED_BYTES = 256 * 1024 * 1024;

/** @throws AsyncEndpointsError `INVALID_OPTION` */
export function readOptions(options: MemoryJobStoreOptions) {
  const { now = monotonicNow, maxFinishedBytes = MAX_FINISHED_BYTES } = options;
  checkInteger('maxFinishedBytes', maxFinishedBytes, 1, Number.MAX_SAFE_INTEGER);
  return { now, agingMs: agingOf(options), maxFinishedBytes };
}
