import { createHash } from 'node:crypto';
import type { JobRecord } from '../../job/job.js';
import * as lifecycle from '../../job/lifecycle.js';
import type { QueueLimits } from '../../store/job-store.js';
import type {
  Fired,
  Firing,
  NewSchedule,
  NextSchedules,
  ScheduleRecord,
  ScheduleStore,
} from '../../store/schedules.js';
import { distinct, submitArguments } from './batches.js';
import type { RedisPartition } from './partition.js';
import type { Partitions } from './partitions.js';
import type { Argument, Script } from './scripts/define-script.js';
import {
  changeSchedulesScript,
  declareSchedulesScript,
  fireScript,
  nextSchedulesScript,
} from './scripts/schedule.lua.js';
import { decodeText, encodeText } from './text.js';

/** The schedules of a `RedisJobStore`. The schedules and their jobs are all in the first partition. */
export class RedisSchedules implements ScheduleStore {
  constructor(private readonly partitions: Partitions) {}

  async declare(given: readonly NewSchedule[]): Promise<ScheduleRecord[]> {
    const args = given.flatMap(({ name, job, timing, definition, nextAt }) => {
      return [encodeText(name), nextAt ?? '', ...[job, timing, definition].map((text) => JSON.stringify(text))];
    });
    const texts = await this.#run(declareSchedulesScript, args);
    return given.map(({ name }, at) => decode(name, texts[at] as string));
  }

  async remove(names: readonly string[]): Promise<boolean[]> {
    return (await this.#change('remove', names)).map((schedule) => schedule !== null);
  }

  pause(names: readonly string[], by: string | null): Promise<(ScheduleRecord | null)[]> {
    return this.#change('pause', names, by);
  }

  resume(names: readonly string[]): Promise<(ScheduleRecord | null)[]> {
    return this.#change('resume', names);
  }

  async find(names: readonly string[]): Promise<(ScheduleRecord | null)[]> {
    if (names.length === 0) return [];
    const { client, connections, keys } = this.#first;
    const texts = await connections.answer(client.hmget(keys.schedules, ...names.map(encodeText)));
    return names.map((name, at) => decodeOrNull(name, texts[at]));
  }

  /** Reads all schedules, because there are few. */
  async list({ limit, after }: { limit: number; after?: string | undefined }): Promise<ScheduleRecord[]> {
    const { client, connections, keys } = this.#first;
    const all = Object.entries(await connections.answer(client.hgetall(keys.schedules)));
    const texts = new Map(all.map(([name, text]) => [decodeText(name), text]));
    const names = [...texts.keys()].filter((name) => after === undefined || name > after).toSorted();
    return names.slice(0, limit).map((name) => decode(name, texts.get(name) as string));
  }

  async next(jobs: readonly string[], limit: number): Promise<NextSchedules> {
    const wanted = jobs.map((job) => JSON.stringify(job));
    const [now, ...texts] = await this.#run(nextSchedulesScript, [limit, ...wanted]);
    const schedules: ScheduleRecord[] = [];
    for (let at = 0; at < texts.length; at += 2) {
      schedules.push(decode(decodeText(texts[at] as string), texts[at + 1] as string));
    }
    return { now: Number(now), schedules };
  }

  async fire(firings: readonly Firing[], { queueLimit, queueBytes }: QueueLimits): Promise<Fired[]> {
    const jobs = firings.map(({ run }) => run && { ...run.job, id: this.#idOf(run.job.id), idempotency: null });
    const some = jobs.filter((job) => job !== null);
    const names = distinct(some.map(({ name }) => name));
    const heads = firings.flatMap(({ name, version, nextAt, run, overlap }, at) => {
      return [encodeText(name), version, nextAt ?? '', run?.at ?? '', jobs[at]?.id ?? '', overlap];
    });
    const groups = some.flatMap((job) => submitArguments([job], names, []));
    const limits = [queueLimit, queueBytes ?? ''];
    const args = [...limits, names.length, some.length, firings.length, ...heads, ...groups];
    const [now, ...outcomes] = await this.#run(fireScript, args, names);
    if (some.length > 0) this.#first.tokens.put(names);
    return Promise.all(outcomes.map((outcome, at) => this.#firedOf(outcome, jobs[at] ?? null, Number(now))));
  }

  async #firedOf(outcome: string, job: Parameters<typeof lifecycle.submit>[0] | null, now: number): Promise<Fired> {
    if (outcome === 'fired' && job) return { outcome, job: lifecycle.submit(job, now) };
    if (outcome !== 'known' || !job) return { outcome } as Fired;
    const [known] = await this.#first.find([job.id]);
    return { outcome: 'fired', job: known ?? (lifecycle.submit(job, now) satisfies JobRecord) };
  }

  async #change(what: string, names: readonly string[], by: string | null = null): Promise<(ScheduleRecord | null)[]> {
    const texts = await this.#run(changeSchedulesScript, [what, JSON.stringify(by), ...names.map(encodeText)]);
    return names.map((name, at) => decodeOrNull(name, texts[at]));
  }

  #run<T>(script: Script<T>, args: Argument[], names: readonly string[] = []): Promise<T> {
    const { keys } = this.#first;
    const own = script === fireScript ? [keys.names] : [];
    return this.#first.run(script, names, args, [...own, keys.schedules, keys.instants]);
  }

  get #first(): RedisPartition {
    return this.partitions.all[0] as RedisPartition;
  }

  /** An id in the first partition: the given id, or the first derived id that belongs there. */
  #idOf(id: string): string {
    let own = id;
    for (let n = 1; this.partitions.of(own) !== this.#first; n++) own = derivedId(`${id} ${n}`);
    return own;
  }
}

/** A UUID of version 8 (RFC 9562). */
function derivedId(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function decodeOrNull(name: string, text: string | null | undefined): ScheduleRecord | null {
  return text ? decode(name, text) : null;
}

function decode(name: string, text: string): ScheduleRecord {
  const [first = '', by = 'null', job = '""', timing = '""', definition = '""'] = text.split('\n');
  const [version, nextAt, countsFrom, lastAt, lastJobId, pausedAt] = first.split(',');
  const numberOf = (digits: string | undefined) => (digits ? Number(digits) : null);
  return {
    name,
    job: JSON.parse(job) as string,
    timing: JSON.parse(timing) as string,
    definition: JSON.parse(definition) as string,
    nextAt: numberOf(nextAt),
    version: Number(version),
    countsFrom: Number(countsFrom),
    lastAt: numberOf(lastAt),
    lastJobId: lastJobId || null,
    pausedAt: numberOf(pausedAt),
    pausedBy: JSON.parse(by) as string | null,
  };
}
