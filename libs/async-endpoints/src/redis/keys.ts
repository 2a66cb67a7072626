/**
 * Every key of the store, and nothing else builds one. All share one hash tag, so that a script may touch all of them in
 * a cluster. `docs/redis-layout.md` says what is in each.
 */
export class RedisKeys {
  readonly #tag: string;

  constructor(prefix: string) {
    this.#tag = `{${prefix}:0}`;
  }

  /** Hash: job id → record (see `codec.ts`). */
  get jobs(): string {
    return `${this.#tag}:jobs`;
  }

  /** Sorted set: job id of what is in progress → end of its lease, ms. */
  get leases(): string {
    return `${this.#tag}:leases`;
  }

  /** Sorted set: job id of what has finished → end of its retention, ms. */
  get finished(): string {
    return `${this.#tag}:finished`;
  }

  /** Hash: `seq`, the number of the last submission; `waiting`, how many wait; `<status letter>:<name>`, how many jobs
   * of a name have a status. */
  get counters(): string {
    return `${this.#tag}:counters`;
  }

  /** Set: every job name that was ever submitted. */
  get names(): string {
    return `${this.#tag}:names`;
  }

  /** Sorted set: members (see `codec.ts`) that can be claimed → priority, then due time. */
  ready(name: string): string {
    return `${this.#tag}:ready:${name}`;
  }

  /** Sorted set: members that were not due when last looked at → due time, ms. */
  scheduled(name: string): string {
    return `${this.#tag}:scheduled:${name}`;
  }

  /** Sorted set: job ids in progress → start, ms. */
  running(name: string): string {
    return `${this.#tag}:running:${name}`;
  }

  /** Sorted set of at most one member, there while workers should look: popping it wakes one of them. */
  wake(name: string): string {
    return `${this.#tag}:wake:${name}`;
  }

  /** Sorted set of at most one member: popping it tells one process that it now waits for other names; it expires. */
  recall(process: string): string {
    return `${this.#tag}:recall:${process}`;
  }

  /** String: id of the job that an idempotency key stands for, and until when, ms; it expires by itself. */
  idempotency(scope: string): string {
    return `${this.#tag}:key:${scope}`;
  }

  /** Channel: `id status version` lines of what changed, for watchers of jobs. */
  get changes(): string {
    return `${this.#tag}:changes`;
  }

  /** Channel: `worker id status version` lines of claims that were taken from their workers. */
  get revocations(): string {
    return `${this.#tag}:revocations`;
  }

  /** What a script needs of one name, in the order that `transition.lua.ts` expects. */
  queue(name: string): string[] {
    return [this.ready(name), this.scheduled(name), this.running(name), this.wake(name)];
  }

  /** What a script needs whatever the names, in the same order. */
  get shared(): string[] {
    return [this.jobs, this.leases, this.finished, this.counters, this.changes, this.revocations];
  }
}
