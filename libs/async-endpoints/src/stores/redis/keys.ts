import type { RedisClient } from './scripts/define-script.js';
import { decodeText, encodeText } from './text.js';

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
   * retention in `completed`; `waiting`, how many wait; `<status letter>:<name>`, how many jobs of a name have a status;
   * `waitingBytes` and `bytes:<status letter>:<name>`, the bytes of the records of those that wait.
   */
  readonly counters: string;
  /** Hash: paused name → when, ms, and by whom, as JSON, parted by a comma. */
  readonly paused: string;
  /** Set: every job name that was ever submitted. */
  readonly names: string;
  /** Hash: worker id → time of its last registration, ms, a comma, and its `WorkerInfo` as JSON. In the first partition only. */
  readonly workers: string;
  /** Sorted set: worker id → end of the time for which it counts as alive, ms. In the first partition only. */
  readonly alive: string;
  /** Hash: schedule name → schedule (see `schedule.lua.ts`). In the first partition only, as is the next. */
  readonly schedules: string;
  /** Sorted set: names of schedules that are not paused → their next instant, ms. */
  readonly instants: string;
  /** List: what tools did, as JSON, until a worker has told its log and metrics. Of the first partition alone. */
  readonly actions: string;
  /** Never there: writing to it where it exists shows whether Redis accepts changes. */
  readonly probe: string;
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
    this.paused = `${this.#tag}:paused`;
    this.names = `${this.#tag}:names`;
    this.workers = `${this.#tag}:workers`;
    this.alive = `${this.#tag}:alive`;
    this.schedules = `${this.#tag}:schedules`;
    this.instants = `${this.#tag}:instants`;
    this.actions = `${this.#tag}:actions`;
    this.probe = `${this.#tag}:probe`;
    const { jobs, claims, leases, completed, finished, counters, paused } = this;
    this.shared = [jobs, claims, leases, completed, finished, counters, paused];
  }

  /** List: members (see `codec.ts`) of jobs of the usual priority that can be claimed, in the order of submission. */
  line(name: string): string {
    return `${this.#tag}:line:${encodeText(name)}`;
  }

  /** Sorted set: members of all others that can be claimed → priority, then due time. */
  ready(name: string): string {
    return `${this.#tag}:ready:${encodeText(name)}`;
  }

  /** Sorted set: members that were not due when last looked at → due time, ms. */
  scheduled(name: string): string {
    return `${this.#tag}:scheduled:${encodeText(name)}`;
  }

  /** Sorted set: job ids in progress → start, ms. */
  running(name: string): string {
    return `${this.#tag}:running:${encodeText(name)}`;
  }

  /** Sorted set of at most one member, there while workers should look: popping it wakes one of them. */
  wake(name: string): string {
    return `${this.#tag}:wake:${encodeText(name)}`;
  }

  /** Sorted set of at most one member: popping it tells one process that it now waits for other names; it expires. */
  recall(process: string): string {
    return `${this.#tag}:recall:${process}`;
  }

  /** The name whose index a key is; none where it is of all names, or none of ours. */
  nameOf(key: string): string | undefined {
    if (!key.startsWith(`${this.#tag}:`)) return undefined;
    const name = /^(?:line|ready|scheduled|running):(.*)$/s.exec(key.slice(this.#tag.length + 1))?.[1];
    return name === undefined ? undefined : decodeText(name);
  }

  /** How those keys begin that come and go by themselves. */
  get passing(): readonly string[] {
    return ['recall', 'key', 'wake'].map((kind) => `${this.#tag}:${kind}:`);
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

/** Every job name of a partition, in order. */
export async function readNames(client: RedisClient, keys: RedisKeys): Promise<string[]> {
  return (await client.smembers(keys.names)).map(decodeText).toSorted();
}

/**
 * Channels belong to no partition: everybody hears everything. Redis knows no databases there, and no prefix of a client, so
 * the names of channels carry both.
 */
export class RedisChannels {
  /** What all of them begin with. */
  readonly prefix: string;
  /**
   * The seal of what follows where a record comes along, and a line break; then `id letter version` lines of what changed, for
   * watchers of jobs, each with the record if it is small and complete.
   */
  readonly changes: string;
  /** The seal, and a line break; then `worker id letter version` lines of claims that were taken from their workers. */
  readonly revocations: string;

  constructor(prefix: string, { database, keyPrefix }: { database: number; keyPrefix: string }) {
    this.prefix = `${keyPrefix}${prefix}:${database}`;
    this.changes = `${this.prefix}:changes`;
    this.revocations = `${this.prefix}:revocations`;
  }
}
