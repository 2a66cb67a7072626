import type { RecoveryOptions } from '../options/options.js';
import type { JobStore, WorkerInfo } from '../store/job-store.js';
import { publishActions, purgeSome, recoverAll } from '../store/loops.js';
import { Loop } from './loop.js';

/** Every so many sweeps the worker registers, purges and takes what tools reported: nobody waits for these. */
const SWEEPS_APART = 3;
/** So often it may fail to register before it is forgotten. */
const MAX_SILENCES = 3;

/**
 * Takes back the jobs of workers that vanished, removes finished jobs past their retention, and tells what tools did. Every worker
 * does all of it; each step is atomic in the store, so no leader is needed.
 *
 * @param own `renew`: renews what this worker holds itself and could not renew in time, lest it takes that back. `describe`:
 * what it says of itself
 */
export function recoveryLoop(
  store: JobStore,
  options: RecoveryOptions & { leaseMs: number },
  own: { renew(): Promise<void>; describe(): WorkerInfo },
  onError: (error: unknown) => void,
): Loop {
  const { enabled, batchSize, sweepIntervalMs: intervalMs, leaseMs } = options;
  // Half a lease: living workers then have renewed before the rest has gone by.
  const rhythm = { silenceMs: Math.max(1.5 * intervalMs, leaseMs / 2), leaseMs };
  const aliveMs = MAX_SILENCES * Math.max(leaseMs, SWEEPS_APART * intervalMs);
  let sweeps = 0;
  const sweep = async () => {
    const keepsHouse = sweeps++ % SWEEPS_APART === 0;
    await own.renew();
    const failures: unknown[] = [];
    const recover = async () => {
      if (enabled) await recoverAll(store, { ...options, sweep: rhythm }).catch((error) => failures.push(error));
    };
    await recover();
    if (keepsHouse) {
      // Also where that failed: a part of the store may answer, and what is purged makes room in it. Between two purges the
      // worker sweeps: the store must not believe that nobody does.
      while ((await purgeSome(store, batchSize)) && failures.length === 0) await recover();
      await store.register(own.describe(), aliveMs).catch((error) => failures.push(error));
      await publishActions(store).catch((error) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  };
  return new Loop(sweep, { intervalMs, onError });
}
