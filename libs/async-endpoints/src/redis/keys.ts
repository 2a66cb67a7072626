/**
 * Every key of one partition, and nothing else builds one. All share one hash tag, so that a script may touch all of them
 * in a cluster. `docs/redis-layout.md` says what is in each.
 */
export class RedisKeys {
  /** Hash: job id → record (see `codec.ts`). */
  readonly jobs: string;
  /** Hash: job id of what is in progress → claim (see `codec.ts`). */
  readonly claims: string;
  /** Sorted set: job ids, parted by spaces, whose claims end at one time → that time, ms. */
  readonly leases: string;
  /** List: number of completion and job id of what has completed, in the order in which it is to go. */
  readonly completed: string;
  /** Sorted set: job id of what has finished otherwise, or is to go out of that order → end of its retention, ms. */
  readonly finished: string;
  /**
   * Hash: `seq` and `completed`, the numbers of the last submission and completion; `kept`, the end of the last
   * retention in `completed`; `waiting`, how many wait; `<status letter>:<name>`, how many jobs of a name have a status.
   */
  readonly counters: string;
  /** Set: every job name that was ever submitted. */
  readonly names: string;
  /** What a script needs whatever the names, in the order that `record.lua.ts` expects. */
  readonly shared: readonly string[];
  readonly #tag: string;

  constructor(prefix: string, partition: number) {
    this.#tag = `{${prefix}:${partition}}`;
    this.jobs = `${this.#tag}:jobs`;
    this.claims = `${this.#tag}:claims`;
    this.leases = `${this.#tag}:leases`;
    this.completed = `${this.#tag}:completed`;
    this.finished = `${this.#tag}:finished`;
    this.counters = `${this.#tag}:counters`;
    this.names = `${this.#tag}:names`;
    const { jobs, claims, leases, completed, finished, counters } = this;
    this.shared = [jobs, claims, leases, completed, finished, counters];
  }

  /** List: members (see `codec.ts`) of jobs of the usual priority that can be claimed, in the order of submission. */
  line(name: string): string {
    return `${this.#tag}:line:${name}`;
  }

  /** Sorted set: members of all others that can be claimed → priority, then due time. */
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

  /** What a script needs of one name, in the order that `record.lua.ts` expects. */
  queue(name: string): string[] {
    return [this.line(name), this.ready(name), this.scheduled(name), this.running(name), this.wake(name)];
  }
}

/** Channels belong to no partition: everybody hears everything. */
export class RedisChannels {
  /** `id status version` lines of what changed, for watchers of jobs; then the record, if it is small and complete. */
  readonly changes: string;
  /** `worker id status version` lines of claims that were taken from their workers. */
  readonly revocations: string;

  /** @param prefix what all of them begin with */
  constructor(readonly prefix: string) {
    this.changes = `${prefix}:changes`;
    this.revocations = `${prefix}:revocations`;
  }
}
