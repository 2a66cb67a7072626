import { Logger } from '@nestjs/common';
import type { Attributes, BatchObservableResult, Meter, Observable } from '@opentelemetry/api';
import type { JobStatus } from '../job/job.js';
import type { JobStore, QueueStats } from '../store/job-store.js';
import type { JobWorker } from '../worker/job-worker.js';
import { ATTRIBUTES } from './catalogue.js';
import { type GaugeName, optionsOf } from './instruments.js';

/** Readers that come at the same time, as two scrapers do, share one answer of the store. */
const FRESH_MS = 1_000;
const WAITING: readonly JobStatus[] = ['Queued', 'Scheduled'];
const GAUGES = [
  'async_endpoint.queue.depth',
  'asyncendpoints.queue.oldest_age',
  'asyncendpoints.queue.running',
  'asyncendpoints.worker.slots.used',
  'asyncendpoints.worker.slots.limit',
] as const satisfies GaugeName[];
type Gauges = Record<(typeof GAUGES)[number], Observable>;

/** How things stand, whenever somebody reads: the queues of the whole store, and the slots of this process. */
export class StateMetrics {
  readonly #logger = new Logger('AsyncEndpoints');
  readonly #gauges: Gauges;
  readonly #observables: Observable[];
  /** Of names that once had jobs: an empty queue is 0, not nothing. */
  readonly #names = new Set<string>();
  readonly #callback = (observer: BatchObservableResult) => this.#observe(observer);
  #latest: { stats: Promise<QueueStats[]>; readAt: number } | undefined;
  #isFailing = false;

  constructor(
    private readonly meter: Meter,
    private readonly store: JobStore,
    private readonly worker: JobWorker,
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
    if (this.worker.isStarted) {
      observer.observe(this.#gauges['asyncendpoints.worker.slots.used'], this.worker.running);
      observer.observe(this.#gauges['asyncendpoints.worker.slots.limit'], this.worker.slots);
    }
    const stats = await this.#stats();
    if (!stats) return;
    for (const { name } of stats) this.#names.add(name);
    const byKey = new Map(stats.map((entry) => [`${entry.status} ${entry.name}`, entry]));
    for (const name of this.#names) {
      for (const status of WAITING) {
        const entry = byKey.get(`${status} ${name}`);
        observer.observe(this.#gauges['async_endpoint.queue.depth'], entry?.count ?? 0, attributes(name, status));
        this.#observeAge(observer, name, status, entry);
      }
      const running = byKey.get(`InProgress ${name}`);
      observer.observe(this.#gauges['asyncendpoints.queue.running'], running?.count ?? 0, { [ATTRIBUTES.name]: name });
      this.#observeAge(observer, name, 'InProgress', running);
    }
  }

  #observeAge(observer: BatchObservableResult, name: string, status: JobStatus, entry: QueueStats | undefined): void {
    const seconds = (entry?.oldestAgeMs ?? 0) / 1_000;
    observer.observe(this.#gauges['asyncendpoints.queue.oldest_age'], seconds, attributes(name, status));
  }

  /** Null where the store does not answer: no figure is better than an old one. */
  async #stats(): Promise<QueueStats[] | null> {
    const now = performance.now();
    if (!this.#latest || now - this.#latest.readAt > FRESH_MS) {
      this.#latest = { stats: this.store.stats(), readAt: now };
    }
    try {
      const stats = await this.#latest.stats;
      this.#isFailing = false;
      return stats;
    } catch (error) {
      if (!this.#isFailing) this.#logger.error('Error updating queue metrics', error);
      this.#isFailing = true;
      return null;
    }
  }
}

function attributes(name: string, status: JobStatus): Attributes {
  return { [ATTRIBUTES.name]: name, [ATTRIBUTES.status]: status };
}
