import type { Meter } from '@opentelemetry/api';
import { STORE_MESSAGE_IGNORED, STORE_RECORD_UNREADABLE } from '../events/channels.js';
import { toJobError } from '../job/errors.js';
import type { JobStore } from '../store/job-store.js';
import { ATTRIBUTES } from './catalogue.js';
import { type CounterName, Instruments } from './instruments.js';

/** Those that ask and are answered; the others wait, or happen once. */
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

/** Times the calls to a store, in place: whoever holds the store holds the timed one, and without telemetry none is. */
export class StoreCalls {
  readonly #instruments: Instruments;
  readonly #timed = new Map<string, Call>();
  /** What is counted of each fact that the store publishes. */
  readonly #facts = [
    [STORE_MESSAGE_IGNORED, this.#counterOf('asyncendpoints.store.messages.ignored')],
    [STORE_RECORD_UNREADABLE, this.#counterOf('asyncendpoints.store.records.unreadable')],
  ] as const;

  constructor(
    meter: Meter,
    private readonly store: JobStore,
  ) {
    this.#instruments = new Instruments(meter);
  }

  open(): void {
    for (const [channel, { begin, count }] of this.#facts) {
      channel.subscribe(count);
      begin();
    }
    const target = this.store as unknown as Record<string, Call>;
    for (const name of CALLS) {
      const timed = this.#time(name, target[name]?.bind(this.store) as Call);
      this.#timed.set(name, timed);
      target[name] = timed;
      const failure = { [ATTRIBUTES.operation]: name, [ATTRIBUTES.error]: 'STORE_UNAVAILABLE' };
      this.#instruments.count('asyncendpoints.store.errors', failure, 0);
    }
  }

  /** Only what is still ours: a second application on the store may have come after us. */
  close(): void {
    for (const [channel, { count }] of this.#facts) channel.unsubscribe(count);
    const target = this.store as unknown as Record<string, Call>;
    for (const [name, timed] of this.#timed) if (target[name] === timed) delete target[name];
  }

  #counterOf(name: CounterName) {
    return {
      begin: () => this.#instruments.count(name, {}, 0),
      count: (message: unknown) => {
        if ((message as { store: JobStore }).store === this.store) this.#instruments.count(name, {});
      },
    };
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
