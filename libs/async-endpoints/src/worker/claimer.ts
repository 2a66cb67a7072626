import type { Claim } from '../job/job.js';
import type { JobStore } from '../store/job-store.js';
import type { Slots } from './slots.js';

export interface ClaimerOptions {
  workerId: string;
  leaseMs: number;
  maxClaimBatchSize: number;
  maxConcurrency: number;
}

/** Claims that have taken their slots. */
export interface Claimed {
  readonly claims: readonly Claim[];
  /** When they were asked for, on the monotonic clock: their leases run from no earlier. */
  readonly askedAt: number;
}

/** One for all: making an error of its own for each time would cost more than the waiting. */
const NOT_WAITING = new Error('The worker does not wait for work any more.');

/**
 * Asks the store for what can be started now, and takes a slot for each claim. Where there was as much as was asked for, the
 * next is asked for before the last is begun, so that the store works while handlers do; where there was less, it has the
 * worker woken when there is more.
 */
export class Claimer {
  #next: Asked | undefined;
  #waiting = new AbortController();
  #awaited: readonly string[] = [];
  #stopped = false;

  /** @param worker `room`: how many claims it may hold beyond those it has, slots apart */
  constructor(
    private readonly store: JobStore,
    private readonly slots: Slots,
    private readonly options: ClaimerOptions,
    private readonly worker: { room(): number; wake(): void },
  ) {}

  /** Whether the worker is woken when there is work of this name: to ask before that would be in vain. */
  awaits(name: string): boolean {
    return this.#awaited.includes(name);
  }

  /** Empty where there is no room, or no work. */
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
    if (claims.length < asked.limit) this.#listen();
    else this.#next = this.#ask(claims.length);
    if (this.#next) this.worker.wake();
    return { claims, askedAt: asked.at };
  }

  /** Does not wait for what is on its way. */
  stop(): void {
    this.#stopped = true;
    this.#stopWaiting();
  }

  /** What was on its way when it was stopped: to be given back. */
  async rest(): Promise<Claimed> {
    const asked = this.#next;
    this.#next = undefined;
    const claims = (await asked?.claims.catch(() => [])) ?? [];
    for (const { job } of claims) this.slots.take(job.name);
    return { claims, askedAt: asked?.at ?? 0 };
  }

  /** For no more than half of what can run at once, so that there is room to ask for while that begins. */
  #ask(unbegun = 0): Asked | undefined {
    const { workerId: worker, leaseMs, maxClaimBatchSize, maxConcurrency } = this.options;
    const half = Math.ceil(maxConcurrency / 2);
    const limit = Math.min(this.slots.free, this.worker.room() - unbegun, maxClaimBatchSize, half);
    const slots = limit > 0 ? this.slots.byName() : new Map<string, number>();
    if (slots.size === 0 || this.#stopped) return undefined;
    const at = performance.now();
    const claims = this.store.claim({ worker, leaseMs, limit, slots });
    claims.catch(() => {}); // whoever waits for it hears of it
    return { at, limit, claims };
  }

  #listen(): void {
    this.#stopWaiting();
    const names = [...this.slots.byName().keys()];
    if (names.length === 0 || this.#stopped) return;
    const waiting = (this.#waiting = new AbortController());
    this.#awaited = names;
    void this.store.waitForWork(names, waiting.signal).then(() => {
      if (waiting.signal.aborted) return;
      this.#awaited = [];
      this.worker.wake();
    });
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
