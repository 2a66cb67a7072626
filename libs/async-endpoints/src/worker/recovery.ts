import type { RecoveryOptions } from '../options.js';
import type { JobStore } from '../store/job-store.js';
import { recoverAll } from '../store/recover-all.js';
import { Loop } from './loop.js';

/**
 * Takes back the jobs of workers that vanished, and removes finished jobs past their retention. Every worker does both;
 * each step is atomic in the store, so no leader is needed.
 */
export function recoveryLoop(store: JobStore, options: RecoveryOptions, onError: (error: unknown) => void): Loop {
  const sweep = async () => {
    if (options.enabled) await recoverAll(store, options);
    while ((await store.purge(options.batchSize)) === options.batchSize);
  };
  return new Loop(sweep, { intervalMs: options.sweepIntervalMs, onError });
}
