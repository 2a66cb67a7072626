import type { Claim } from '../job/job.js';
import type { JobStore } from '../store/job-store.js';
import type { Slots } from './slots.js';

interface ClaimerOptions {
  workerId: string;
  leaseMs: number;
  maxClaimBatchSize: number;
  maxConcurrency: number;
}

/** Claims whose slots are taken. */
export interface Claimed {
  readonly claims: readonly Claim[];
  /** When the claim was requested, on the monotonic clock. Their leases do not begin earlier. */
  readonly askedAt: number;
}

/** One shared error: a new one for each wait would cost more than the wait itself. */
const NOT_WAITING = new Error('The worker does not wait for work any more.');

/**
 * Claims the jobs that can start now and takes a slot for each. After a full reply it requests the next claims before the last
 * ones start, so that the store works while handlers run. After a short reply it waits for work in the store, which wakes the
 * worker.
 */
export class Claimer {
  #next: Asked | undefined;
  #waiting = new AbortController();
  #awaited: readonly string[] = [];
  #stopped = false;

  /** @param worker `room`: how many more claims the worker may hold, apart from its slots */
  constructor(
    private readonly store: JobStore,
    private readonly slots: Slots,
    private readonly options: ClaimerOptions,
    private readonly worker: { room(): number; wake(): void },
  ) {}

  /** Whether the store will wake the worker when there is a job of this name. A claim before that would be empty. */
  awaits(name: string): boolean {
    return this.#awaited.includes(name);
  }

  /** Empty when there is no room or no claimable job. */
  async claim(): Promise<Claimed> {
    this.#awaited = [];
    const asked = this.#next ?? this.#ask();
    this.#next = undefined;
    if (!asked) {
      this.#stopWaiting();
      return { claims: [], askedAt: 0 };
    }
    const claims = await asked.claims;
    for (const { job } of claims) this.slots.take(job.name);
    if (claims.length < asked.limit) this.#listen(claims.length > 0);
    else this.#next = this.#ask(claims.length);
    if (this.#next) this.worker.wake();
    return { claims, askedAt: asked.at };
  }

  /** Stops. Does not wait for a pending claim. */
  stop(): void {
    this.#stopped = true;
    this.#stopWaiting();
  }

  /** The claims that were pending when the claimer stopped. Release them. */
  async rest(): Promise<Claimed> {
    const asked = this.#next;
    this.#next = undefined;
    const claims = (await asked?.claims.catch(() => [])) ?? [];
    for (const { job } of claims) this.slots.take(job.name);
    return { claims, askedAt: asked?.at ?? 0 };
  }

  /** Requests at most half of the concurrency, so that there is room for the next request while those jobs start. */
  #ask(unbegun = 0): Asked | undefined {
    const { workerId: worker, leaseMs, maxClaimBatchSize, maxConcurrency } = this.options;
    const half = Math.ceil(maxConcurrency / 2);
    const limit = Math.min(this.slots.free, this.worker.room() - unbegun, maxClaimBatchSize, half);
    const slots = limit > 0 ? this.slots.byName() : new Map<string, number>();
    if (slots.size === 0 || this.#stopped) return undefined;
    const at = performance.now();
    const claims = this.store.claim({ worker, leaseMs, limit, slots });
    claims.catch(() => {}); // handled where the promise is awaited
    return { at, limit, claims };
  }

  #listen(hasClaimed: boolean): void {
    this.#stopWaiting();
    const names = [...this.slots.byName().keys()];
    if (names.length === 0 || this.#stopped) return;
    const waiting = (this.#waiting = new AbortController());
    this.#awaited = names;
    const listen = async (): Promise<void> => {
      if (waiting.signal.aborted) return;
      // A custom store may reject. Then the worker polls.
      const [wait] = await Promise.allSettled([this.store.waitForWork(names, waiting.signal)]);
      if (waiting.signal.aborted) return;
      this.#awaited = [];
      if (wait.status === 'fulfilled') this.worker.wake();
    };
    // What was claimed starts first: a call to the store would delay it.
    if (hasClaimed) setImmediate(() => void listen());
    else void listen();
  }

  #stopWaiting(): void {
    this.#awaited = [];
    if (!this.#waiting.signal.aborted) this.#waiting.abort(NOT_WAITING);
  }
}

interface Asked {
  readonly at: number;
  readonly limit: number;
  readonly claims: Promise<Claim[]>;
}
