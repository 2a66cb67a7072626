import { Logger } from '@nestjs/common';
import type { Attributes, BatchObservableResult, Meter, Observable } from '@opentelemetry/api';
import { logError } from '../events/error-text.js';
import type { JobStatus } from '../job/job.js';
import type { JobPolicies } from '../options/policies.js';
import type { JobStore, LiveWorker, QueueStats, StoreMemory } from '../store/job-store.js';
import type { JobWorker } from '../worker/job-worker.js';
import { ATTRIBUTES } from './catalogue.js';
import { type GaugeName, optionsOf } from './instruments.js';

/** Readers that come at the same time, as two scrapers do, share one answer of the store. */
const FRESH_MS = 1_000;
const WAITING: readonly JobStatus[] = ['Queued', 'Scheduled'];
const QUEUE_GAUGES = [
  'async_endpoint.queue.depth',
  'asyncendpoints.queue.bytes',
  'asyncendpoints.queue.oldest_age',
  'asyncendpoints.queue.running',
  'asyncendpoints.queue.paused',
  'asyncendpoints.queue.workers',
] as const satisfies GaugeName[];
const MEMORY_GAUGES = ['asyncendpoints.store.memory.used', 'asyncendpoints.store.memory.limit'] as const;
const GAUGES = [
  ...QUEUE_GAUGES,
  ...MEMORY_GAUGES,
  'asyncendpoints.store.up',
  'asyncendpoints.store.queue.limit',
  'asyncendpoints.store.queue.bytes.limit',
  'asyncendpoints.queue.limit',
  'asyncendpoints.queue.bytes.limit',
  'asyncendpoints.job.timeout',
  'asyncendpoints.worker.handlers',
  'asyncendpoints.worker.slots.used',
  'asyncendpoints.worker.slots.limit',
] as const satisfies GaugeName[];
type Gauges = Record<(typeof GAUGES)[number], Observable>;

/** How things stand in the store. */
interface StoreState {
  readonly stats: QueueStats[];
  readonly workers: LiveWorker[];
  readonly memory: StoreMemory | null;
}

/** How things stand, whenever somebody reads: the queues of the whole store, and the slots and limits of this process. */
export class StateMetrics {
  readonly #logger = new Logger('AsyncEndpoints');
  readonly #gauges: Gauges;
  readonly #observables: Observable[];
  /** Names that once had jobs in the store. An empty queue is 0, not nothing. */
  readonly #names = new Set<string>();
  readonly #callback = (observer: BatchObservableResult) => this.#observe(observer);
  #latest: { state: Promise<StoreState>; readAt: number } | undefined;
  #isFailing = false;

  constructor(
    private readonly meter: Meter,
    private readonly store: JobStore,
    private readonly worker: JobWorker,
    private readonly policies: JobPolicies,
  ) {
    const made = GAUGES.map((name) => [name, meter.createObservableGauge(name, optionsOf(name))] as const);
    this.#gauges = Object.fromEntries(made) as Gauges;
    this.#observables = made.map(([, gauge]) => gauge);
  }

  open(): void {
    this.meter.addBatchObservableCallback(this.#callback, this.#observables);
  }

  close(): void {
    this.meter.removeBatchObservableCallback(this.#callback, this.#observables);
  }

  async #observe(observer: BatchObservableResult): Promise<void> {
    this.#observeWorker(observer);
    this.#observeLimits(observer);
    const state = await this.#state();
    observer.observe(this.#gauges['asyncendpoints.store.up'], state ? 1 : 0);
    if (state) this.#observeQueues(observer, state);
    else this.#forget(QUEUE_GAUGES);
    this.#observeMemory(observer, state?.memory ?? null);
  }

  #observeWorker(observer: BatchObservableResult): void {
    this.#forget(['asyncendpoints.worker.handlers']);
    for (const name of this.worker.names)
      observer.observe(this.#gauges['asyncendpoints.worker.handlers'], 1, { [ATTRIBUTES.name]: name });
    if (!this.worker.isStarted) return;
    observer.observe(this.#gauges['asyncendpoints.worker.slots.used'], this.worker.running);
    observer.observe(this.#gauges['asyncendpoints.worker.slots.limit'], this.worker.slots);
  }

  /** What alerts compare the other gauges with. */
  #observeLimits(observer: BatchObservableResult): void {
    const { limits } = this.policies;
    observer.observe(this.#gauges['asyncendpoints.store.queue.limit'], limits.maxQueueSize);
    observer.observe(this.#gauges['asyncendpoints.store.queue.bytes.limit'], limits.maxQueueBytes);
    for (const name of this.policies.names) {
      const { timeoutMs, maxQueueSize, maxQueueBytes } = this.policies.of(name);
      const attribute = { [ATTRIBUTES.name]: name };
      observer.observe(this.#gauges['asyncendpoints.job.timeout'], timeoutMs / 1_000, attribute);
      if (maxQueueSize !== null) observer.observe(this.#gauges['asyncendpoints.queue.limit'], maxQueueSize, attribute);
      if (maxQueueBytes !== null)
        observer.observe(this.#gauges['asyncendpoints.queue.bytes.limit'], maxQueueBytes, attribute);
    }
  }

  #observeMemory(observer: BatchObservableResult, memory: StoreMemory | null): void {
    this.#forget(MEMORY_GAUGES);
    if (!memory) return;
    const { usedBytes, limitBytes } = memory;
    observer.observe(this.#gauges['asyncendpoints.store.memory.used'], usedBytes);
    if (limitBytes !== null) observer.observe(this.#gauges['asyncendpoints.store.memory.limit'], limitBytes);
  }

  #forget(names: readonly (typeof GAUGES)[number][]): void {
    for (const name of names) forgetObservations(this.#gauges[name]);
  }

  #observeQueues(observer: BatchObservableResult, { stats, workers }: StoreState): void {
    for (const { name } of stats) this.#names.add(name);
    const byKey = new Map(stats.map((entry) => [`${entry.status} ${entry.name}`, entry]));
    for (const name of new Set([...this.policies.names, ...this.#names])) {
      for (const status of WAITING) {
        const entry = byKey.get(`${status} ${name}`);
        observer.observe(this.#gauges['async_endpoint.queue.depth'], entry?.count ?? 0, attributes(name, status));
        observer.observe(this.#gauges['asyncendpoints.queue.bytes'], entry?.bytes ?? 0, attributes(name, status));
        this.#observeAge(observer, name, status, entry);
      }
      const running = byKey.get(`InProgress ${name}`);
      observer.observe(this.#gauges['asyncendpoints.queue.running'], running?.count ?? 0, { [ATTRIBUTES.name]: name });
      this.#observeAge(observer, name, 'InProgress', running);
      const isPaused = stats.some((entry) => entry.name === name && entry.isPaused);
      observer.observe(this.#gauges['asyncendpoints.queue.paused'], isPaused ? 1 : 0, { [ATTRIBUTES.name]: name });
      const handling = workers.filter(({ names }) => names.includes(name)).length;
      observer.observe(this.#gauges['asyncendpoints.queue.workers'], handling, { [ATTRIBUTES.name]: name });
    }
  }

  #observeAge(observer: BatchObservableResult, name: string, status: JobStatus, entry: QueueStats | undefined): void {
    const seconds = (entry?.oldestAgeMs ?? 0) / 1_000;
    observer.observe(this.#gauges['asyncendpoints.queue.oldest_age'], seconds, attributes(name, status));
  }

  /** Null where the store does not answer: no figure is better than an old one. */
  async #state(): Promise<StoreState | null> {
    const now = performance.now();
    if (!this.#latest || now - this.#latest.readAt > FRESH_MS) {
      this.#latest = { state: this.#read(), readAt: now };
    }
    try {
      const state = await this.#latest.state;
      this.#isFailing = false;
      return state;
    } catch (error) {
      if (!this.#isFailing) logError(this.#logger, 'Error updating queue metrics', error);
      this.#isFailing = true;
      return null;
    }
  }

  /** Depths are worth more than memory: a server that refuses to tell the one still tells the other. */
  async #read(): Promise<StoreState> {
    const unknown = () => null;
    const [stats, workers, memory] = await Promise.all([
      this.store.stats(),
      this.store.workers(),
      this.store.memory?.().catch(unknown) ?? null,
    ]);
    return { stats, workers, memory };
  }
}

function attributes(name: string, status: JobStatus): Attributes {
  return { [ATTRIBUTES.name]: name, [ATTRIBUTES.status]: status };
}

// oxlint-disable no-underscore-dangle -- the names are the SDK's
/** Fields of the SDK's instruments that its public types do not name. */
interface StoredObservable extends Observable {
  readonly _metricStorages?: Iterable<{
    readonly _temporalMetricStorage?: { readonly _reportHistory?: Map<unknown, unknown> };
  }>;
}

/**
 * Makes the series of an observable gauge disappear until it is observed again. OpenTelemetry's specification asks the SDK to drop
 * what a callback no longer observes, but the SDK for JavaScript exports the last observation for ever to readers that ask for
 * cumulative values, as Prometheus does. Does nothing with another SDK. See docs/decisions/0076-gauges-are-forgotten.md.
 */
export function forgetObservations(observable: Observable): void {
  for (const { _temporalMetricStorage: temporal } of (observable as StoredObservable)._metricStorages ?? []) {
    temporal?._reportHistory?.clear();
  }
}
