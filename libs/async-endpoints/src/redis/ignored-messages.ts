import { STORE_MESSAGE_IGNORED, STORE_NOTICE, type StoreNotice } from '../observability/channels.js';
import type { JobStore } from '../store/job-store.js';

const NOTICE_EVERY_MS = 60_000;

/** Counts the messages that a store ignores, and tells the log of them at most once a minute. */
export class IgnoredMessages {
  #count = 0;
  #noticedAt = -Infinity;

  constructor(private readonly store: JobStore) {}

  add(channel: string): void {
    const { store } = this;
    this.#count++;
    STORE_MESSAGE_IGNORED.publish({ store });
    if (performance.now() - this.#noticedAt < NOTICE_EVERY_MS) return;
    this.#noticedAt = performance.now();
    const message = `Somebody else publishes on the Redis channel ${channel}: ${this.#count} messages ignored so far.`;
    STORE_NOTICE.publish({ store, message } satisfies StoreNotice);
  }
}
