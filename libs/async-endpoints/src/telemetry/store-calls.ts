import type { Meter } from '@opentelemetry/api';
import { subscribe } from '../events/channels.js';
import { toJobError } from '../job/errors.js';
import type { JobStore } from '../store/job-store.js';
import { ATTRIBUTES } from './catalogue.js';
import { Instruments } from './instruments.js';

/** The measured verbs. The others wait, or are called once. */
const CALLS = [
  'ping',
  'submit',
  'claim',
  'renew',
  'settle',
  'cancel',
  'rerun',
  'recover',
  'purge',
  'find',
  'list',
  'stats',
  'pause',
  'resume',
  'paused',
  'register',
  'unregister',
  'workers',
] as const satisfies (keyof JobStore)[];

type Call = (...args: unknown[]) => Promise<unknown>;

/** Measures the calls to a store by replacing its methods, so that without telemetry there is no overhead. */
export class StoreCalls {
  readonly #instruments: Instruments;
  readonly #timed = new Map<string, Call>();
  #unsubscribe: () => void = () => {};

  constructor(
    meter: Meter,
    private readonly store: JobStore,
  ) {
    this.#instruments = new Instruments(meter);
  }

  open(): void {
    const { count } = this.#instruments;
    this.#unsubscribe = subscribe(this.store, {
      ignored: () => count('asyncendpoints.store.messages.ignored', {}),
      unreadable: () => count('asyncendpoints.store.records.unreadable', {}),
    });
    count('asyncendpoints.store.messages.ignored', {}, 0);
    count('asyncendpoints.store.records.unreadable', {}, 0);
    const target = this.store as unknown as Record<string, Call>;
    for (const name of CALLS) {
      const timed = this.#time(name, target[name]?.bind(this.store) as Call);
      this.#timed.set(name, timed);
      target[name] = timed;
      const failure = { [ATTRIBUTES.operation]: name, [ATTRIBUTES.error]: 'STORE_UNAVAILABLE' };
      count('asyncendpoints.store.errors', failure, 0);
    }
  }

  /** Restores only its own replacements, because a second application may have added others. */
  close(): void {
    this.#unsubscribe();
    const target = this.store as unknown as Record<string, Call>;
    for (const [name, timed] of this.#timed) if (target[name] === timed) delete target[name];
  }

  #time(operation: string, call: Call): Call {
    const { count, record } = this.#instruments;
    const attributes = { [ATTRIBUTES.operation]: operation };
    return async (...args) => {
      const startedAt = performance.now();
      try {
        return await call(...args);
      } catch (error) {
        count('asyncendpoints.store.errors', { ...attributes, [ATTRIBUTES.error]: toJobError(error).code });
        throw error;
      } finally {
        record('asyncendpoints.store.call.duration', (performance.now() - startedAt) / 1_000, attributes);
      }
    };
  }
}
