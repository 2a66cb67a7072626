import { BadRequestException, ForbiddenException, Inject, Injectable, Logger } from '@nestjs/common';
import { printable } from '../events/error-text.js';
import { parseJobId } from '../job/job-id.js';
import { isTerminal, type JobStatus } from '../job/job.js';
import { JobManager } from '../jobs/job-manager.js';
import { JobStore } from '../store/job-store.js';
import type { Visitor } from './access.js';
import { DashboardFeed } from './feed.js';
import { cursorOf, filterOf, MAX_STEP } from './jobs-view.js';
import { SCHEDULE_OPERATIONS } from './schedules-view.js';

const OPERATIONS = ['cancel', 'rerun', 'pause', 'resume', ...SCHEDULE_OPERATIONS] as const;

/**
 * What the page sends to act: on jobs by id, on queues and schedules by name. Without targets, the action is on the jobs of a page
 * of those that match the filter, at the cursor.
 */
export interface Action {
  readonly operation: (typeof OPERATIONS)[number];
  readonly targets: readonly string[] | null;
  readonly filter: Record<string, unknown>;
}

/** What one step of an action did. */
export interface Step {
  /** How many jobs or queues it changed. */
  readonly changed: number;
  /** How many it looked at. */
  readonly seen: number;
  /** Where the next step begins; null after the last one. */
  readonly cursor: string | null;
}

/** The actions of visitors on jobs and queues. */
@Injectable()
export class JobActions {
  readonly #log = new Logger('AsyncDashboard');

  constructor(
    @Inject(JobManager) private readonly manager: JobManager,
    @Inject(JobStore) private readonly store: JobStore,
    @Inject(DashboardFeed) private readonly feed: DashboardFeed,
  ) {}

  async act({ operation, targets, filter }: Action, visitor: Visitor, actor: string | null): Promise<Step> {
    const isOnQueues = operation === 'pause' || operation === 'resume';
    if (isOnQueues && visitor.owner !== null) throw new ForbiddenException('A queue holds the jobs of all owners.');
    if (isOnQueues && !targets) throw new BadRequestException('An action on queues needs targets.');
    const step =
      isOnQueues && targets
        ? await this.#steer(operation, targets, actor)
        : await this.#change(operation as 'cancel' | 'rerun', targets, filter, visitor);
    this.feed.lookAgain();
    const what = isOnQueues && targets ? targets.map((name) => JSON.stringify(name)).join(', ') : `${step.seen} jobs`;
    const who = JSON.stringify(actor ?? 'an unnamed visitor');
    this.#log.log(printable(`${operation} of ${what.slice(0, 500)} by ${who}: ${step.changed} changed`));
    return step;
  }

  async #steer(operation: 'pause' | 'resume', names: readonly string[], by: string | null): Promise<Step> {
    await this.manager[operation](names, { by });
    return { changed: names.length, seen: names.length, cursor: null };
  }

  async #change(
    operation: 'cancel' | 'rerun',
    targets: readonly string[] | null,
    filter: Record<string, unknown>,
    visitor: Visitor,
  ): Promise<Step> {
    const page = targets
      ? { jobs: await this.#find(targets, visitor), cursor: null }
      : await this.manager.list(filterOf(filter, visitor), { limit: MAX_STEP, ...cursorOf(filter) });
    const ids = page.jobs.filter(({ status }) => allows(operation, status)).map(({ id }) => id);
    const changed = await (operation === 'cancel' ? this.manager.cancelMany(ids) : this.manager.rerunMany(ids));
    return { changed: changed.length, seen: targets?.length ?? page.jobs.length, cursor: page.cursor };
  }

  /** Those that the visitor may see. */
  async #find(targets: readonly string[], { owner }: Visitor): Promise<{ id: string; status: JobStatus }[]> {
    const ids = targets.map((target) => parseJobId(target)).filter((id) => id !== null);
    const jobs = await this.store.find(ids, owner === null ? undefined : ids.map(() => owner));
    return jobs.filter((job) => job !== null);
  }
}

function allows(operation: 'cancel' | 'rerun', status: JobStatus): boolean {
  return operation === 'cancel' ? !isTerminal(status) : status === 'Failed' || status === 'Canceled';
}

/** @throws BadRequestException */
export function parseAction(body: unknown): Action {
  const { operation, targets = null, filter } = (body ?? {}) as Partial<Action>;
  if (!operation || !OPERATIONS.includes(operation)) throw new BadRequestException('There is no such operation.');
  if (targets === null && typeof filter === 'object' && filter !== null) return { operation, targets, filter };
  if (!Array.isArray(targets) || targets.length < 1 || targets.length > MAX_STEP || !targets.every(isText)) {
    throw new BadRequestException(`targets is not a list of 1 to ${MAX_STEP} texts.`);
  }
  return { operation, targets, filter: {} };
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && !value.includes('\0');
}
