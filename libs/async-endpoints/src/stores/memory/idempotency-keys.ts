import { scopeOfKey } from '../../job/decide.js';
import type { NewJob } from '../../job/job.js';
import { Heap, type HeapItem } from './heap.js';

interface Key extends HeapItem {
  readonly scoped: string;
  readonly id: string;
  readonly expiresAt: number;
}

/** The job of each idempotency key, within its owner and job name, until the retention of the key ends. */
export class IdempotencyKeys {
  readonly #keys = new Map<string, Key>();
  readonly #expiring = new Heap<Key>((a, b) => a.expiresAt < b.expiresAt);

  find(job: NewJob, now: number): string | undefined {
    const key = this.#keys.get(scopeOfKey(job) as string);
    return key && key.expiresAt > now ? key.id : undefined;
  }

  add(job: NewJob, now: number): void {
    const scoped = scopeOfKey(job) as string;
    this.#remove(this.#keys.get(scoped));
    const expiresAt = now + (job.idempotency?.retentionMs ?? 0);
    const key: Key = { scoped, id: job.id, expiresAt, heapIndex: -1 };
    this.#keys.set(key.scoped, key);
    this.#expiring.push(key);
  }

  purge(limit: number, now: number): void {
    for (let purged = 0; purged < limit; purged++) {
      const key = this.#expiring.peek();
      if (!key || key.expiresAt > now) return;
      this.#remove(key);
    }
  }

  #remove(key: Key | undefined): void {
    if (!key) return;
    this.#keys.delete(key.scoped);
    this.#expiring.remove(key);
  }
}
