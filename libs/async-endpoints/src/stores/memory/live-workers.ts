import type { LiveWorker, WorkerInfo } from '../../store/job-store.js';

/** The registered workers, each with the end of its registration. */
export class LiveWorkers {
  readonly #workers = new Map<string, { worker: LiveWorker; until: number }>();

  register(worker: WorkerInfo, aliveMs: number, now: number): void {
    this.#forget(now);
    this.#workers.set(worker.id, { worker: { ...worker, heartbeatAt: now }, until: now + aliveMs });
  }

  unregister(id: string): void {
    this.#workers.delete(id);
  }

  all(now: number): LiveWorker[] {
    this.#forget(now);
    const workers = [...this.#workers.values()].map(({ worker }) => worker);
    return workers.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  #forget(now: number): void {
    for (const [id, { until }] of this.#workers) if (until <= now) this.#workers.delete(id);
  }
}
