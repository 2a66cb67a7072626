import { decodeJob, decodeJobs } from '../job/decode-job.js';
import { type FailedAttempt, JOB_STATUSES, type JobRecord, type JobStatus } from '../job/job.js';
import type { JobFilter, JobStore, LiveWorker, QueueStats } from '../store/job-store.js';
import { jobsRunningFor } from '../store/loops.js';
import { depthOf, unhandledNames } from '../store/queue-stats.js';
import { confirm } from './confirm.js';
import type { Session } from './connect.js';
import { formatDuration } from './duration.js';
import { EXIT, say, UsageError } from './exit.js';
import { type Cell, count, print, printJson, printTable, time } from './print.js';
import { toId } from './select-jobs.js';

/** The number of jobs by name and status, and the age of the oldest waiting and running job. */
export async function stats({ store, json }: Session): Promise<number> {
  const entries = await store.stats();
  if (json) printJson(entries);
  else if (entries.length === 0) print('There are no jobs.');
  else {
    // Leave out a column without values.
    const paused = entries.some(({ isPaused }) => isPaused) ? ['PAUSED'] : [];
    const columns = ['NAME', ...JOB_STATUSES.map(upper), 'OLDEST WAITING', 'OLDEST RUNNING', ...paused];
    printTable(columns, statsRows(entries, paused.length > 0));
  }
  return EXIT.ok;
}

function statsRows(entries: readonly QueueStats[], showsPaused: boolean): Cell[][] {
  const names = [...new Set(entries.map(({ name }) => name))].toSorted();
  return names.map((name) => {
    const of = (status: JobStatus) => entries.find((entry) => entry.name === name && entry.status === status);
    const waiting = [of('Queued'), of('Scheduled')].find((entry) => entry && entry.count > 0)?.oldestAgeMs ?? null;
    const running = of('InProgress')?.oldestAgeMs ?? null;
    const ages = [waiting, running].map((age) => (age === null ? null : formatDuration(age)));
    const isPaused = entries.some((entry) => entry.name === name && entry.isPaused);
    const pausedCell = showsPaused ? [isPaused ? 'paused' : null] : [];
    return [name, ...JOB_STATUSES.map((status) => of(status)?.count ?? 0), ...ages, ...pausedCell];
  });
}

/** The live workers, and the names with waiting jobs that none of them handles. */
export async function workers({ store, json }: Session): Promise<number> {
  const [live, entries] = await Promise.all([store.workers(), store.stats()]);
  if (json) printJson(live);
  else if (live.length === 0) print('There are no live workers.');
  else printTable(['ID', 'VERSION', 'SLOTS', 'STARTED', 'HEARTBEAT', 'NAMES'], live.map(workerRow));
  for (const name of unhandledNames(entries, live)) {
    say(`${count(depthOf(entries, name), `${name} job`)} wait, but no live worker handles them`, 'warn');
  }
  return EXIT.ok;
}

function workerRow({ id, version, slots, startedAt, heartbeatAt, names }: LiveWorker): Cell[] {
  return [id, version || null, slots, time(startedAt), time(heartbeatAt), names.join(', ')];
}

/** The most jobs of a page of a list. */
const PAGE = 1_000;

/** The jobs that match, newest first: the job that came last into its status is the first. */
export async function list({ store, json }: Session, filter: JobFilter, limit: number): Promise<number> {
  const jobs: JobRecord[] = [];
  let cursor: string | null | undefined;
  while (cursor !== null && jobs.length < limit) {
    const page = await store.list(filter, { limit: Math.min(PAGE, limit - jobs.length), cursor });
    jobs.push(...page.jobs);
    ({ cursor } = page);
  }
  if (json) printJson(decodeJobs(jobs));
  else printList(jobs);
  if (cursor !== null) say(`showing the newest ${jobs.length}; use --limit or --all to see more`);
  return EXIT.ok;
}

/** Prints the jobs, with a column of owners when a job has an owner. */
function printList(jobs: readonly JobRecord[]): void {
  const isOwned = jobs.some(({ owner }) => owner !== null);
  const columns = ['ID', 'NAME', ...(isOwned ? ['OWNER'] : []), 'STATUS', 'RETRIES', 'CREATED', 'NOTE'];
  printTable(
    columns,
    jobs.map((job) => listRow(job, isOwned)),
  );
}

function listRow(job: JobRecord, isOwned: boolean): Cell[] {
  const { id, name, owner, status, retryCount, createdAt } = job;
  return [id, name, ...(isOwned ? [owner] : []), status, retryCount, time(createdAt), noteOf(job)];
}

function noteOf({ status, error, worker, scheduledAt }: JobRecord): string | null {
  if (status === 'InProgress') return `claimed by ${worker}`;
  const due = status === 'Scheduled' ? `scheduled for ${time(scheduledAt)}` : null;
  return [due, error?.code].filter(Boolean).join(', ') || null;
}

/** Everything about one job. */
export async function show({ store, json }: Session, id: string): Promise<number> {
  const [job] = await store.find([toId(id)]);
  if (!job) {
    say('there is no such job');
    return EXIT.failed;
  }
  if (json) printJson(decodeJob(job));
  else
    printTable(
      ['FIELD', 'VALUE'],
      [...Object.entries(job).flatMap(shownField), ...job.failedAttempts.map(shownAttempt)],
    );
  return EXIT.ok;
}

const TIMES = ['createdAt', 'scheduledAt', 'startedAt', 'completedAt', 'lastUpdatedAt', 'leaseUntil'];

function shownField([field, value]: [string, unknown]): Cell[][] {
  if (field === 'failedAttempts') return [];
  if (TIMES.includes(field)) return [[field, time(value as number | null)]];
  if (value === null || typeof value === 'string') return [[field, value]];
  return [[field, JSON.stringify(value)]];
}

function shownAttempt({ number, worker, startedAt, endedAt, outcome, error }: FailedAttempt): Cell[] {
  const took = formatDuration(endedAt - startedAt);
  return [
    `attempt ${number}`,
    `${outcome} at ${time(endedAt)} after ${took}, ${worker}: ${error.code}: ${error.message}`,
  ];
}

/** The jobs that have been in progress for at least this long. */
export async function stuck({ store, json }: Session, runningForMs: number): Promise<number> {
  const jobs = await jobsRunningFor(store, runningForMs);
  if (json) printJson(jobs.map(decodeJob));
  else if (jobs.length === 0) print(`No job has been running for ${formatDuration(runningForMs)}.`);
  else printTable(['ID', 'NAME', 'STARTED', 'LEASE UNTIL', 'CRASHES', 'WORKER'], jobs.map(stuckRow));
  return EXIT.ok;
}

function stuckRow({ id, name, startedAt, leaseUntil, crashes, worker }: JobRecord): Cell[] {
  return [id, name, time(startedAt), time(leaseUntil), crashes, worker];
}

/** Checks that every job is in the index of its status. */
export async function audit({ store, json, yes }: Session, repair: boolean): Promise<number> {
  const look = store.audit?.bind(store);
  if (!look) throw new UsageError('This store has no audit.');
  const deviations = repair ? await repaired(look, yes) : await look();
  if (json) printJson(deviations);
  else if (deviations.length === 0) print('Every job is where its status says.');
  else {
    print(deviations.join('\n'));
    say(`${count(deviations.length, 'deviation')}; some may be jobs that changed during the audit, so run it again`);
  }
  return deviations.length === 0 ? EXIT.ok : EXIT.failed;
}

/** Repairs the deviations and reports their number. @returns the remaining deviations */
async function repaired(look: NonNullable<JobStore['audit']>, yes: boolean): Promise<string[]> {
  const found = await look();
  const question = `This will repair ${count(found.length, 'deviation')}, and delete records that cannot be read.`;
  if (found.length === 0 || !(await confirm(question, Infinity, yes))) return found;
  await look({ repair: true });
  const left = await look();
  say(`${count(found.length, 'deviation')} found, ${left.length} left`);
  return left;
}

function upper(text: string): string {
  return text.toUpperCase();
}
