import { AsyncEndpointsError, toJobError } from '../job/errors.js';
import type { Outcome, Settlement } from '../job/lifecycle.js';
import { Batcher } from '../store/batcher.js';
import type { JobStore } from '../store/job-store.js';
import { sizeOfSettlement } from '../store/parts.js';
import type { Run } from './run.js';
import { logUndelivered } from './worker-log.js';

const AGAIN_MS = 500;
/** After this many refusals of the same outcome, the worker gives up on it. */
const MOST_REFUSALS = 3;

/**
 * Settles claims. An outcome is kept until the store has replied, however long that takes. The store accepts it as long as no
 * other worker has claimed the job.
 */
export class Settlements {
  readonly #batches: Batcher<Settlement, boolean>;
  #heldUntil = Infinity;

  /** @param onError called for each failed call */
  constructor(
    store: JobStore,
    private readonly onError: (error: unknown) => void,
  ) {
    this.#batches = new Batcher((settlements) => store.settle(settlements), {
      overlap: 2,
      sizeOf: sizeOfSettlement,
    });
  }

  /** After this time, on the monotonic clock, a failed call is not repeated. */
  holdUntil(time: number): void {
    this.#heldUntil = time;
  }

  /**
   * Resolves when the store has replied, with the settled verb, or with `lose` when another worker has the job. Null when
   * the outcome was given up, which is logged.
   */
  async settle(run: Run, outcome: Outcome): Promise<Outcome['verb'] | 'lose' | null> {
    const { job, fence } = run.claim;
    for (let refusals = 0; ;) {
      try {
        const settlement = refusals < MOST_REFUSALS ? outcome : NOT_STORABLE;
        const held = await this.#batches.push({ id: job.id, name: job.name, fence, ...settlement });
        return held ? settlement.verb : 'lose';
      } catch (error) {
        this.onError(error);
        if (!(error instanceof AsyncEndpointsError)) refusals++;
        if (performance.now() >= this.#heldUntil || refusals >= 2 * MOST_REFUSALS) {
          logUndelivered(run, error);
          return null;
        }
        await new Promise((resolve) => setTimeout(resolve, this.#pauseMs()));
      }
    }
  }

  #pauseMs(): number {
    return Math.min(AGAIN_MS, Math.max(this.#heldUntil - performance.now(), 1));
  }
}

const NOT_STORABLE: Outcome = {
  verb: 'fail',
  error: toJobError(new AsyncEndpointsError('INTERNAL_ERROR', 'The store refused the outcome of the job.')),
};
