import { BadRequestException, ForbiddenException, Inject, Injectable, Logger, NotFoundException } from '@nestjs/common';
import { defer, map, type Observable, takeUntil } from 'rxjs';
import { printable } from '../events/error-text.js';
import { AsyncEndpointsError, publicError } from '../job/errors.js';
import { type Job, JOB_STATUSES, type JobStatus } from '../job/job.js';
import { JobManager } from '../jobs/job-manager.js';
import type { JobPage } from '../store/job-store.js';
import type { Visitor } from './access.js';
import { DashboardFeed } from './feed.js';
import { DASHBOARD_RULES, type DashboardRules } from './options.js';
import { redacted } from './redact.js';
import { SCHEDULE_OPERATIONS } from './schedules-view.js';

const MAX_STEP = 1_000;
const OPERATIONS = ['cancel', 'rerun', 'pause', 'resume', ...SCHEDULE_OPERATIONS] as const;

/** What the page sends to act: jobs by id, queues and schedules by name. */
export interface Action {
  readonly operation: (typeof OPERATIONS)[number];
  readonly targets: readonly string[];
}

/** A job of a list: without its result, which may be large. */
export type JobRow = Omit<Job, 'result' | 'error' | 'failedAttempts' | 'fingerprint'> & {
  readonly error: { readonly code: string } | null;
};

/** Jobs as a visitor may see them, and what a visitor does with them. */
@Injectable()
export class JobsView {
  readonly #log = new Logger('AsyncDashboard');

  constructor(
    @Inject(JobManager) private readonly manager: JobManager,
    @Inject(DASHBOARD_RULES) private readonly rules: DashboardRules,
    @Inject(DashboardFeed) private readonly feed: DashboardFeed,
  ) {}

  async list(query: Record<string, unknown>, { owner }: Visitor): Promise<JobPage<JobRow>> {
    const text = (name: string) => (typeof query[name] === 'string' && query[name] !== '' ? query[name] : undefined);
    const status = text('status');
    if (status !== undefined && !isStatus(status)) throw new BadRequestException(`${status} is not a status.`);
    const filter = { name: text('name'), status, owner: owner ?? text('owner'), errorCode: text('errorCode') };
    const cursor = text('cursor');
    const page = { limit: Number(text('limit') ?? 50), ...(cursor !== undefined && { cursor }) };
    const { jobs, cursor: next } = await this.manager.list(filter, page).catch(asHttp);
    return { jobs: jobs.map((job) => toRow(forVisitor(job, owner))), cursor: next };
  }

  async find(id: string, { owner }: Visitor): Promise<Job> {
    const job = await (owner === null ? this.manager.find(id) : this.manager.findOwned(id, owner)).catch(asHttp);
    if (!job) throw new NotFoundException('There is no such job, or its retention has passed.');
    return this.#shown(job, owner);
  }

  /** After `find`, which decides whether the visitor may see the job. */
  follow(id: string, { owner }: Visitor): Observable<Job> {
    return defer(() => this.manager.follow(id)).pipe(
      map((job) => this.#shown(job, owner)),
      takeUntil(this.feed.closed),
    );
  }

  /** @returns how many jobs or queues the action changed */
  async act({ operation, targets }: Action, { owner }: Visitor, actor: string | null): Promise<{ changed: number }> {
    const isOnQueues = operation === 'pause' || operation === 'resume';
    if (isOnQueues && owner !== null) throw new ForbiddenException('A queue holds the jobs of all owners.');
    const changed = await (
      isOnQueues
        ? this.#steer(operation, targets, actor)
        : this.#change(operation as 'cancel' | 'rerun', targets, owner)
    ).catch(asHttp);
    const what = isOnQueues ? targets.map((name) => JSON.stringify(name)).join(', ') : `${targets.length} jobs`;
    const who = JSON.stringify(actor ?? 'an unnamed visitor');
    this.#log.log(printable(`${operation} of ${what.slice(0, 500)} by ${who}: ${changed} changed`));
    return { changed };
  }

  async #steer(operation: 'pause' | 'resume', names: readonly string[], by: string | null): Promise<number> {
    await this.manager[operation](names, { by });
    return names.length;
  }

  async #change(operation: 'cancel' | 'rerun', ids: readonly string[], owner: string | null): Promise<number> {
    const allowed = owner === null ? ids : await this.#owned(ids, owner);
    const changed = await (operation === 'cancel' ? this.manager.cancelMany(allowed) : this.manager.rerunMany(allowed));
    return changed.length;
  }

  async #owned(ids: readonly string[], owner: string): Promise<string[]> {
    const jobs = await Promise.all(ids.map((id) => this.manager.findOwned(id, owner)));
    return jobs.flatMap((job) => (job ? [job.id] : []));
  }

  #shown(stored: Job, owner: string | null): Job {
    const job = forVisitor(stored, owner);
    const show = this.rules.show ?? {};
    const hidden = show.result === false;
    const { details, ...error } = job.error ?? { code: '', message: '' };
    const shownError = details === undefined || hidden ? error : { ...error, details: redacted(details, show) };
    return {
      ...job,
      result: hidden ? null : redacted(job.result, show),
      error: job.error && shownError,
      fingerprint: null,
    };
  }
}

/** The owner of jobs is a client of the application: it sees what clients see of errors, and no workers. */
function forVisitor(job: Job, owner: string | null): Job {
  if (owner === null) return job;
  const failedAttempts = job.failedAttempts.map((attempt) => {
    return { ...attempt, worker: '', error: publicError(attempt.error) };
  });
  return { ...job, worker: null, error: job.error && publicError(job.error), failedAttempts };
}

function toRow({ result: _result, failedAttempts: _attempts, fingerprint: _print, error, ...row }: Job): JobRow {
  return { ...row, error: error && { code: error.code } };
}

function isStatus(text: string): text is JobStatus {
  return JOB_STATUSES.includes(text as JobStatus);
}

/** @throws BadRequestException */
export function parseAction(body: unknown): Action {
  const { operation, targets } = (body ?? {}) as Partial<Action>;
  if (!operation || !OPERATIONS.includes(operation)) throw new BadRequestException('There is no such operation.');
  if (!Array.isArray(targets) || targets.length < 1 || targets.length > MAX_STEP || !targets.every(isText)) {
    throw new BadRequestException(`targets is not a list of 1 to ${MAX_STEP} texts.`);
  }
  return { operation, targets };
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0;
}

/** What the visitor asked wrongly is a 400; all else is for the application's filters. */
function asHttp(error: unknown): never {
  const isWrong = error instanceof AsyncEndpointsError && error.code.startsWith('INVALID_');
  throw isWrong ? new BadRequestException(error.message) : error;
}
