import { publish } from '../events/channels.js';
import type { RecoveryOptions } from '../options/options.js';
import type { JobStore, WorkerInfo } from '../store/job-store.js';
import { purgeSome, recoverAll } from '../store/loops.js';
import { Loop } from './loop.js';
import { UnhandledQueues } from './unhandled.js';

/** The worker registers, purges and takes reported actions of tools only in every third sweep, because these are not urgent. */
const SWEEPS_APART = 3;
/** The worker looks for unhandled names with every fourth registration, which is every minute with the defaults. */
const REGISTRATIONS_APART = 4;
/** A registration expires after this many missed registrations. */
const MAX_SILENCES = 3;

/**
 * Recovers the jobs of dead workers, purges terminal jobs past their retention, and publishes the actions of tools and the names
 * that no worker handles. Every worker does all of this. Each step is atomic in the store, so no leader is needed.
 *
 * @param own `renew`: renews the claims that this worker could not renew in time, so that it does not recover its own jobs.
 * `describe`: the registration of this worker
 */
export function recoveryLoop(
  store: JobStore,
  options: RecoveryOptions & { leaseMs: number },
  own: { renew(): Promise<void>; describe(): WorkerInfo },
  onError: (error: unknown) => void,
): Loop {
  const { enabled, batchSize, sweepIntervalMs: intervalMs, leaseMs } = options;
  // Half a lease: live workers renew within the other half.
  const rhythm = { silenceMs: Math.max(1.5 * intervalMs, leaseMs / 2), leaseMs };
  const aliveMs = MAX_SILENCES * Math.max(leaseMs, SWEEPS_APART * intervalMs);
  const unhandled = new UnhandledQueues(store, own.describe().id);
  let sweeps = 0;
  // Beside the sweeps, which a reply that never comes must not stop. An error after the end of the loop means that the store is closed.
  const lookForUnhandled = () => void unhandled.check().catch((error) => loop.isStopping || onError(error));
  const sweep = async () => {
    const keepsHouse = sweeps++ % SWEEPS_APART === 0;
    await own.renew();
    const failures: unknown[] = [];
    const recover = async () => {
      if (enabled) await recoverAll(store, { ...options, sweep: rhythm }).catch((error) => failures.push(error));
    };
    await recover();
    if (keepsHouse) {
      // Purge also after an error: a part of the store may still reply, and purging frees space there. Sweep between two purges,
      // so that a long purge does not look like a silence.
      while ((await purgeSome(store, batchSize)) && failures.length === 0) await recover();
      await store.register(own.describe(), aliveMs).catch((error) => failures.push(error));
      await publishActions(store).catch((error) => failures.push(error));
      if (sweeps % (SWEEPS_APART * REGISTRATIONS_APART) === 1) lookForUnhandled();
    }
    if (failures.length > 0) throw failures[0];
  };
  const loop = new Loop(sweep, { intervalMs, onError });
  return loop;
}

/**
 * Publishes the reported actions of tools in this process, for log and metrics. The store gives each action to one worker only.
 */
async function publishActions(store: JobStore): Promise<void> {
  for (const action of (await store.takeActions?.()) ?? []) {
    publish('action', { store, action });
  }
}
