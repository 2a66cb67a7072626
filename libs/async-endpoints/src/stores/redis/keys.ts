import type { RedisClient } from './scripts/define-script.js';
import { decodeText, encodeText } from './text.js';

/**
 * The keys of one partition. Only this class builds key names. All share one hash tag, so that a script can use all of them in a
 * cluster. `docs/redis-layout.md` describes their content.
 */
export class RedisKeys {
  /** Hash: job id → record (see `codec.ts`). */
  readonly jobs: string;
  /** Hash: id of a job in progress → claim (see `codec.ts`). */
  readonly claims: string;
  /** Sorted set: ids of the jobs whose leases end at the same time, separated by spaces → that time, ms. */
  readonly leases: string;
  /** List: what `completed` of a name contains, for jobs that an earlier release completed. */
  readonly earlierCompleted: string;
  /**
   * Sorted set: id of failed and canceled jobs, and of completed jobs that are purged out of that order → end of retention, ms.
   */
  readonly finished: string;
  /**
   * Hash: `seq` and `completed`, the numbers of the last submission and completion; `kept`, the end of the last retention in
   * `completed`; `waiting`, the number of waiting jobs; `<status letter>:<name>`, the number of jobs by name and status;
   * `waitingBytes` and `bytes:<status letter>:<name>`, the bytes of the records of waiting jobs.
   */
  readonly counters: string;
  /** Hash: paused name → time of the pause, ms, a comma, and who paused it, as JSON. */
  readonly paused: string;
  /** Sorted set: entries by name and status, owner and error code → 0 (see `listed.lua.ts`). */
  readonly listed: string;
  /** Sorted set: name → a time before which no job of its `completed` is purged, ms. */
  readonly purges: string;
  /** Set: the names of the jobs. */
  readonly names: string;
  /** Hash: worker id → time of its last registration, ms, a comma, and its `WorkerInfo` as JSON. In the first partition only. */
  readonly workers: string;
  /** Sorted set: worker id → end of its registration, ms. In the first partition only. */
  readonly alive: string;
  /** Hash: schedule name → schedule (see `schedule.lua.ts`). In the first partition only. */
  readonly schedules: string;
  /** Sorted set: name of a schedule that is not paused → its next instant, ms. In the first partition only. */
  readonly instants: string;
  /** List: actions of tools, as JSON, until a worker takes them for its log and metrics. In the first partition only. */
  readonly actions: string;
  /** A key that never exists. Writing to it only if it exists shows whether Redis accepts changes. */
  readonly probe: string;
  /** The keys that every script needs, in the order that `record.lua.ts` expects. */
  readonly shared: readonly string[];
  readonly #tag: string;

  constructor(prefix: string, partition: number) {
    this.#tag = `{${prefix}:${partition}}`;
    this.jobs = `${this.#tag}:jobs`;
    this.claims = `${this.#tag}:claims`;
    this.leases = `${this.#tag}:leases`;
    this.earlierCompleted = `${this.#tag}:completed`;
    this.finished = `${this.#tag}:finished`;
    this.counters = `${this.#tag}:counters`;
    this.paused = `${this.#tag}:paused`;
    this.listed = `${this.#tag}:listed`;
    this.purges = `${this.#tag}:purges`;
    this.names = `${this.#tag}:names`;
    this.workers = `${this.#tag}:workers`;
    this.alive = `${this.#tag}:alive`;
    this.schedules = `${this.#tag}:schedules`;
    this.instants = `${this.#tag}:instants`;
    this.actions = `${this.#tag}:actions`;
    this.probe = `${this.#tag}:probe`;
    const { jobs, claims, leases, finished, counters, paused, listed, purges } = this;
    this.shared = [jobs, claims, leases, finished, counters, paused, listed, purges];
  }

  /** List: members (see `codec.ts`) of claimable jobs with default priority, in the order of submission. */
  line(name: string): string {
    return `${this.#tag}:line:${encodeText(name)}`;
  }

  /** Sorted set: members of all other claimable jobs → priority, then `scheduledAt`. */
  ready(name: string): string {
    return `${this.#tag}:ready:${encodeText(name)}`;
  }

  /** Sorted set: members of scheduled jobs → `scheduledAt`, ms. A claim moves them to `ready` later. */
  scheduled(name: string): string {
    return `${this.#tag}:scheduled:${encodeText(name)}`;
  }

  /** Sorted set: id of a job in progress → start, ms. */
  running(name: string): string {
    return `${this.#tag}:running:${encodeText(name)}`;
  }

  /** List: number of completion and id of completed jobs, in the order of their purge. */
  completed(name: string): string {
    return `${this.#tag}:completed:${encodeText(name)}`;
  }

  /** Sorted set of at most one member, which exists while there is work. Popping it wakes one worker. */
  wake(name: string): string {
    return `${this.#tag}:wake:${encodeText(name)}`;
  }

  /**
   * Sorted set of at most one member, which expires. Popping it ends the blocking call of one process, which then waits for other
   * names.
   */
  recall(process: string): string {
    return `${this.#tag}:recall:${process}`;
  }

  /** The beginnings of the keys that expire. */
  get passing(): readonly string[] {
    return ['recall', 'key', 'wake'].map((kind) => `${this.#tag}:${kind}:`);
  }

  /** String: id of the job of an idempotency key, and the end of its retention, ms. It expires. */
  idempotency(scope: string): string {
    return `${this.#tag}:key:${scope}`;
  }

  /** The keys of one name that scripts need, in the order that `record.lua.ts` expects. */
  queue(name: string): string[] {
    const waiting = [this.line(name), this.ready(name), this.scheduled(name)];
    return [...waiting, this.running(name), this.wake(name), this.completed(name)];
  }
}

/** All job names of a partition, in order. */
export async function readNames(client: RedisClient, keys: RedisKeys): Promise<string[]> {
  return (await client.smembers(keys.names)).map(decodeText).toSorted();
}

/**
 * The channels, which belong to no partition: every process receives every message. In Redis, channels have neither a database
 * nor the key prefix of a client, so their names contain both.
 */
export class RedisChannels {
  /** The beginning of all channel names. */
  readonly prefix: string;
  /**
   * Messages for the subscribers of jobs: a seal when the message contains a record, and a line break; then `id letter version`
   * lines of the changed jobs, each with the record if it is small and complete.
   */
  readonly changes: string;
  /** Messages about revoked claims: a seal and a line break; then `worker id letter version` lines. */
  readonly revocations: string;

  constructor(prefix: string, { database, keyPrefix }: { database: number; keyPrefix: string }) {
    this.prefix = `${keyPrefix}${prefix}:${database}`;
    this.changes = `${this.prefix}:changes`;
    this.revocations = `${this.prefix}:revocations`;
  }
}
