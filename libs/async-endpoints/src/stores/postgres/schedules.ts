import type { QueueLimits } from '../../store/job-store.js';
import type {
  Fired,
  Firing,
  NewSchedule,
  NextSchedules,
  ScheduleRecord,
  ScheduleStore,
} from '../../store/schedules.js';
import { decodeNullable, decodeText, encodeNullable, encodeText } from '../sql/text.js';
import type { PostgresConnections } from './connections.js';
import { newJobRow, type RecordRow, recordOf } from './rows.js';

interface ScheduleRow {
  readonly name: string;
  readonly job: string;
  readonly timing: string;
  readonly definition: string;
  readonly next_at: number | null;
  readonly counts_from: number;
  readonly last_at: number | null;
  readonly last_job_id: string | null;
  readonly paused_at: number | null;
  readonly paused_by: string | null;
  readonly version: number;
}

/** The schedules of a `PostgresJobStore`. */
export class PostgresSchedules implements ScheduleStore {
  constructor(
    private readonly connections: PostgresConnections,
    private readonly now: () => number | null,
  ) {}

  async declare(given: readonly NewSchedule[]): Promise<ScheduleRecord[]> {
    const rows = given.map(({ name, job, timing, definition, nextAt }) => {
      return {
        name: encodeText(name),
        job: encodeText(job),
        timing: encodeText(timing),
        definition: encodeText(definition),
        next_at: nextAt,
      };
    });
    const names = given.map(({ name }) => name);
    const stored = await this.connections.call<ScheduleRow[]>('declare_schedules', JSON.stringify(rows), this.now());
    return inOrder(names, stored) as ScheduleRecord[];
  }

  async remove(names: readonly string[]): Promise<boolean[]> {
    const removed = new Set(await this.connections.call<string[]>('remove_schedules', names.map(encodeText)));
    return names.map((name) => removed.has(encodeText(name)));
  }

  async pause(names: readonly string[], by: string | null): Promise<(ScheduleRecord | null)[]> {
    const stored = names.map(encodeText);
    return inOrder(names, await this.connections.call('pause_schedules', stored, encodeNullable(by), this.now()));
  }

  async resume(names: readonly string[]): Promise<(ScheduleRecord | null)[]> {
    return inOrder(names, await this.connections.call('resume_schedules', names.map(encodeText), this.now()));
  }

  async find(names: readonly string[]): Promise<(ScheduleRecord | null)[]> {
    return inOrder(names, await this.connections.call('find_schedules', names.map(encodeText)));
  }

  async list({ limit, after }: { limit: number; after?: string | undefined }): Promise<ScheduleRecord[]> {
    const stored = encodeNullable(after ?? null);
    return (await this.connections.call<ScheduleRow[]>('list_schedules', stored, limit)).map(scheduleOf);
  }

  async next(jobs: readonly string[], limit: number): Promise<NextSchedules> {
    const args = [jobs.map(encodeText), limit, this.now()];
    const reply = await this.connections.call<{ now: number; schedules: ScheduleRow[] }>('next_schedules', ...args);
    return { now: reply.now, schedules: reply.schedules.map(scheduleOf) };
  }

  async fire(firings: readonly Firing[], { queueLimit, queueBytes = null }: QueueLimits): Promise<Fired[]> {
    const rows = firings.map(({ name, version, nextAt, run, overlap }, at) => {
      const job = run && newJobRow(run.job, 0);
      return { n: at + 1, name: encodeText(name), version, next_at: nextAt, at: run?.at, job, overlap };
    });
    const args = [JSON.stringify(rows), queueLimit, queueBytes, this.now()];
    const replies = await this.connections.call<{ outcome: Fired['outcome']; job: RecordRow | null }[]>(
      'fire',
      ...args,
    );
    return replies.map(({ outcome, job }) =>
      outcome === 'fired' ? { outcome, job: recordOf(job as RecordRow) } : { outcome },
    );
  }
}

function inOrder(names: readonly string[], rows: readonly ScheduleRow[]): (ScheduleRecord | null)[] {
  const byName = new Map(rows.map((row) => [row.name, row]));
  return names.map((name) => {
    const row = byName.get(encodeText(name));
    return row ? scheduleOf(row) : null;
  });
}

function scheduleOf(row: ScheduleRow): ScheduleRecord {
  return {
    name: decodeText(row.name),
    job: decodeText(row.job),
    timing: decodeText(row.timing),
    definition: decodeText(row.definition),
    nextAt: row.next_at,
    countsFrom: row.counts_from,
    lastAt: row.last_at,
    lastJobId: row.last_job_id,
    pausedAt: row.paused_at,
    pausedBy: decodeNullable(row.paused_by),
    version: row.version,
  };
}
