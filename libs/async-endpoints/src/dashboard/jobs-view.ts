import { BadRequestException, Inject, Injectable, NotFoundException } from '@nestjs/common';
import { concatMap, defer, interval, Observable, of, repeat, tap } from 'rxjs';
import { decodeResult } from '../job/decode-job.js';
import { publicError } from '../job/errors.js';
import { parseJobId } from '../job/job-id.js';
import { type Job, type JobRecord, JOB_STATUSES, type JobStatus } from '../job/job.js';
import { JobManager } from '../jobs/job-manager.js';
import { type JobFilter, type JobPage, JobStore } from '../store/job-store.js';
import type { Visitor } from './access.js';
import { withExactNumbers } from './exact-json.js';
import { DASHBOARD_RULES, type DashboardRules, type DashboardShow } from './options.js';
import { type ShownPayload, shownPayload } from './payload.js';
import { redacted } from './redact.js';

/** How many jobs one request counts or changes at most. */
export const MAX_STEP = 1_000;
/** How often a terminal job is looked for: not every store tells that it was purged. */
const LOOK_MS = 10_000;
const PARAMETERS = ['name', 'status', 'owner', 'errorCode', 'cursor', 'limit'];

/** A job of a list: without its result, which may be large. */
export type JobRow = Omit<Job, 'result' | 'error' | 'failedAttempts' | 'fingerprint'> & {
  readonly error: { readonly code: string } | null;
};

/** Jobs as a visitor may see them. */
@Injectable()
export class JobsView {
  constructor(
    @Inject(JobManager) private readonly manager: JobManager,
    @Inject(JobStore) private readonly store: JobStore,
    @Inject(DASHBOARD_RULES) private readonly rules: DashboardRules,
  ) {}

  async list(query: Record<string, unknown>, visitor: Visitor): Promise<JobPage<JobRow>> {
    const limit = Number(textOf(query, 'limit') ?? 50);
    const page = await this.manager.list(filterOf(query, visitor), { limit, ...cursorOf(query) });
    return { jobs: page.jobs.map((job) => toRow(forVisitor(job, visitor.owner))), cursor: page.cursor };
  }

  /** One step of counting what a filter matches; all of it where the store has the number. */
  async count(query: Record<string, unknown>, visitor: Visitor): Promise<{ count: number; cursor: string | null }> {
    const filter = filterOf(query, visitor);
    if (filter.owner === undefined && filter.errorCode === undefined) {
      const matching = (await this.manager.stats()).filter(
        ({ name, status }) => name === (filter.name ?? name) && status === (filter.status ?? status),
      );
      return { count: matching.reduce((sum, { count }) => sum + count, 0), cursor: null };
    }
    const { jobs, cursor } = await this.manager.list(filter, { limit: MAX_STEP, ...cursorOf(query) });
    return { count: jobs.length, cursor };
  }

  async find(id: string, { owner }: Visitor): Promise<Job> {
    const known = parseJobId(id);
    const [record] = known === null ? [] : await this.store.find([known], owner === null ? undefined : [owner]);
    if (!record) throw new NotFoundException('There is no such job, or its retention has passed.');
    return this.#shown(record, owner);
  }

  async payload(id: string, visitor: Visitor): Promise<ShownPayload> {
    const job = await this.find(id, visitor);
    return shownPayload((await this.store.payload?.(job.id)) ?? null, this.rules.show ?? {}, visitor.owner);
  }

  /** After `find`, which decides whether the visitor may see the job. Goes on when a job that has ended is queued again. */
  follow(id: string, visitor: Visitor): Observable<Job> {
    let version = 0;
    return defer(() => this.manager.follow(id)).pipe(
      tap((job) => (version = job.version)),
      // The text of the result has numbers that a decoded one has not.
      concatMap((job) =>
        job.result === null ? of(this.#shown({ ...job, result: null }, visitor.owner)) : this.find(id, visitor),
      ),
      repeat({ delay: () => this.#changeSince(id, version) }),
    );
  }

  /** Emits when the job has another version: also when it changed before the subscription began. */
  #changeSince(id: string, version: number): Observable<unknown> {
    return new Observable<unknown>((subscriber) => {
      const begin = async () => {
        subscriber.add(await this.store.subscribe({ job: id }, () => subscriber.next(null)));
        await look();
      };
      const look = async () => {
        if ((await this.manager.find(id))?.version !== version) subscriber.next(null);
      };
      const fail = (error: unknown) => subscriber.error(error);
      subscriber.add(interval(LOOK_MS).subscribe(() => void look().catch(fail)));
      begin().catch(fail);
    });
  }

  #shown(stored: JobRecord, owner: string | null): Job {
    const job = forVisitor(stored, owner);
    const show = this.rules.show ?? {};
    const hidden = show.result === false;
    const { details, ...error } = job.error ?? { code: '', message: '' };
    const shownError = details === undefined || hidden ? error : { ...error, details: redacted(details, show) };
    return {
      ...job,
      result: hidden ? null : shownResult(job, show),
      error: job.error && shownError,
      fingerprint: null,
    };
  }
}

/** The owner of jobs is a client of the application: it sees what clients see of errors, and no workers. */
function forVisitor<T extends Omit<Job, 'result'>>(job: T, owner: string | null): T {
  if (owner === null) return job;
  const failedAttempts = job.failedAttempts.map((attempt) => {
    return { ...attempt, worker: '', error: publicError(attempt.error) };
  });
  return { ...job, worker: null, error: job.error && publicError(job.error), failedAttempts };
}

function shownResult(record: JobRecord, show: DashboardShow): unknown {
  const value = decodeResult<unknown>(record);
  return redacted(value, show, [], withExactNumbers(record.result ?? 'null', value));
}

function toRow({ result: _result, failedAttempts: _attempts, fingerprint: _print, error, ...row }: Job): JobRow {
  return { ...row, error: error && { code: error.code } };
}

/**
 * The filter of a query or an action, always with the visitor's owner.
 *
 * @throws BadRequestException
 */
export function filterOf(query: Record<string, unknown>, { owner }: Visitor): JobFilter {
  const unknown = Object.keys(query).find((name) => !PARAMETERS.includes(name));
  // To ignore it would widen the filter.
  if (unknown !== undefined) throw new BadRequestException(`${unknown} is not a filter.`);
  const status = textOf(query, 'status');
  if (status !== undefined && !isStatus(status)) throw new BadRequestException(`${status} is not a status.`);
  return {
    name: textOf(query, 'name'),
    status,
    owner: owner ?? textOf(query, 'owner'),
    errorCode: textOf(query, 'errorCode'),
  };
}

/** @throws BadRequestException */
export function cursorOf(query: Record<string, unknown>): { cursor?: string } {
  const cursor = textOf(query, 'cursor');
  return cursor === undefined ? {} : { cursor };
}

/** A value that is not text would widen the filter if it were ignored. */
export function textOf(query: Record<string, unknown>, name: string): string | undefined {
  const value = query[name] ?? '';
  if (typeof value !== 'string') throw new BadRequestException(`${name} must be given once, as a text.`);
  if (value.includes('\0')) throw new BadRequestException(`${name} contains the character U+0000.`);
  return value === '' ? undefined : value;
}

function isStatus(text: string): text is JobStatus {
  return JOB_STATUSES.includes(text as JobStatus);
}
