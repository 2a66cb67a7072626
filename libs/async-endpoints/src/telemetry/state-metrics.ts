import { Logger } from '@nestjs/common';
import type { Attributes, BatchObservableResult, Meter, Observable } from '@opentelemetry/api';
import { logError } from '../events/error-text.js';
import type { JobStatus } from '../job/job.js';
import type { JobPolicies } from '../options/policies.js';
import type { JobStore, LiveWorker, QueueStats, StoreResources } from '../store/job-store.js';
import type { JobWorker } from '../worker/job-worker.js';
import { type MetricName, METRICS, of } from './catalogue.js';
import { type GaugeName, optionsOf } from './instruments.js';

/** Concurrent readers, such as two scrapers, share one reply of the store. */
const FRESH_MS = 1_000;
const UNFINISHED: readonly JobStatus[] = ['Queued', 'Scheduled', 'InProgress'];
const QUEUE_GAUGES = [
  'async_endpoint.queue.depth',
  'asyncendpoints.queue.bytes',
  'asyncendpoints.queue.oldest_age',
  'asyncendpoints.queue.running',
  'asyncendpoints.queue.paused',
  'asyncendpoints.queue.workers',
] as const satisfies GaugeName[];
type Read = (resources: StoreResources) => number | null | undefined;
const RESOURCES: readonly (readonly [GaugeName, Read])[] = [
  ['asyncendpoints.store.memory.used', ({ memory }) => memory?.used],
  ['asyncendpoints.store.memory.limit', ({ memory }) => memory?.limit],
  ['asyncendpoints.store.connections.used', ({ connections }) => connections?.used],
  ['asyncendpoints.store.connections.limit', ({ connections }) => connections?.limit],
  ['asyncendpoints.store.disk.used', ({ disk }) => disk?.used],
  ['asyncendpoints.store.disk.limit', ({ disk }) => disk?.limit],
  ['asyncendpoints.store.size', ({ sizeBytes }) => sizeBytes],
  ['asyncendpoints.store.log.size', ({ logBytes }) => logBytes],
  ['asyncendpoints.store.rows.dead', ({ deadRows }) => deadRows],
  ['asyncendpoints.store.transaction.age', ({ oldestTransactionMs: ms }) => (ms === undefined ? ms : ms / 1_000)],
  ['asyncendpoints.store.notified', ({ isNotified }) => (isNotified === undefined ? isNotified : Number(isNotified))],
];
const GAUGES = Object.keys(METRICS).filter((name): name is GaugeName => METRICS[name as MetricName].kind === 'gauge');
type Gauges = Record<GaugeName, Observable>;
type Setter = (gauge: GaugeName, value: number, attributes?: Attributes) => void;

/** The state of the store. */
interface StoreState {
  readonly stats: QueueStats[];
  readonly workers: LiveWorker[];
  readonly resources: StoreResources;
}

/** Gauges that are read on demand: the queues of the whole store, and the slots and limits of this process. */
export class StateMetrics {
  readonly #logger = new Logger('AsyncEndpoints');
  readonly #gauges: Gauges;
  readonly #observables: Observable[];
  /** Names that have had jobs in the store. An empty queue is reported as 0. */
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
    const set: Setter = (gauge, value, attributes) => observer.observe(this.#gauges[gauge], value, attributes);
    this.#observeWorker(set);
    this.#observeLimits(set);
    const state = await this.#state();
    set('asyncendpoints.store.up', state ? 1 : 0);
    if (state) this.#observeQueues(set, state);
    else this.#forget(QUEUE_GAUGES);
    this.#observeResources(set, state?.resources ?? {});
  }

  #observeWorker(set: Setter): void {
    this.#forget(['asyncendpoints.worker.handlers']);
    for (const name of this.worker.names) set('asyncendpoints.worker.handlers', 1, of(name));
    if (!this.worker.isStarted) return;
    set('asyncendpoints.worker.slots.used', this.worker.running);
    set('asyncendpoints.worker.slots.limit', this.worker.slots);
  }

  /** The limits to which alerts compare the other gauges. */
  #observeLimits(set: Setter): void {
    const { queueLimit, queueBytes } = this.policies.queueLimits;
    set('asyncendpoints.store.queue.limit', queueLimit);
    set('asyncendpoints.store.queue.bytes.limit', queueBytes);
    for (const name of this.policies.names) {
      const { timeoutMs, maxQueueSize, maxQueueBytes } = this.policies.of(name);
      set('asyncendpoints.job.timeout', timeoutMs / 1_000, of(name));
      if (maxQueueSize !== null) set('asyncendpoints.queue.limit', maxQueueSize, of(name));
      if (maxQueueBytes !== null) set('asyncendpoints.queue.bytes.limit', maxQueueBytes, of(name));
    }
  }

  #observeResources(set: Setter, resources: StoreResources): void {
    this.#forget(RESOURCES.map(([gauge]) => gauge));
    for (const [gauge, read] of RESOURCES) {
      const value = read(resources) ?? null;
      if (value !== null) set(gauge, value);
    }
  }

  #forget(names: readonly GaugeName[]): void {
    for (const name of names) forgetObservations(this.#gauges[name]);
  }

  #observeQueues(set: Setter, { stats, workers }: StoreState): void {
    for (const { name } of stats) this.#names.add(name);
    for (const name of new Set([...this.policies.names, ...this.#names])) {
      const ofName = stats.filter((entry) => entry.name === name);
      for (const status of UNFINISHED) {
        const entry = ofName.find((one) => one.status === status);
        const [count, ageMs] = [entry?.count ?? 0, entry?.oldestAgeMs ?? 0];
        set('asyncendpoints.queue.oldest_age', ageMs / 1_000, of(name, { status }));
        if (status === 'InProgress') set('asyncendpoints.queue.running', count, of(name));
        else {
          set('async_endpoint.queue.depth', count, of(name, { status }));
          set('asyncendpoints.queue.bytes', entry?.bytes ?? 0, of(name, { status }));
        }
      }
      set('asyncendpoints.queue.paused', ofName.some(({ isPaused }) => isPaused) ? 1 : 0, of(name));
      set('asyncendpoints.queue.workers', workers.filter(({ names }) => names.includes(name)).length, of(name));
    }
  }

  /** Null when the store does not reply: no value is better than an outdated one. */
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
      if (!this.#isFailing) logError(this.#logger, 'The metrics of the queues cannot be read', error);
      this.#isFailing = true;
      return null;
    }
  }

  /** A server may refuse to report its resources. The queue depths are still reported then. */
  async #read(): Promise<StoreState> {
    const unknown = () => ({});
    const [stats, workers, resources] = await Promise.all([
      this.store.stats(),
      this.store.workers(),
      this.store.resources?.().catch(unknown) ?? {},
    ]);
    return { stats, workers, resources };
  }
}

// oxlint-disable no-underscore-dangle -- the names are the SDK's
/** Fields of the SDK's instruments that its public types do not have. */
interface StoredObservable extends Observable {
  readonly _metricStorages?: Iterable<{
    readonly _temporalMetricStorage?: { readonly _reportHistory?: Map<unknown, unknown> };
  }>;
}

/**
 * Removes the series of an observable gauge until it is observed again. The specification of OpenTelemetry requires the SDK to
 * drop series that a callback no longer observes. The JavaScript SDK instead exports the last value forever to readers of
 * cumulative values, such as Prometheus. Does nothing with another SDK. See docs/decisions/0076-gauges-are-forgotten.md.
 */
export function forgetObservations(observable: Observable): void {
  for (const { _temporalMetricStorage: temporal } of (observable as StoredObservable)._metricStorages ?? []) {
    temporal?._reportHistory?.clear();
  }
}
