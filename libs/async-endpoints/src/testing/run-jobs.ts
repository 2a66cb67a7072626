import type { INestApplicationContext } from '@nestjs/common';
import { filter, firstValueFrom, takeUntil, timer } from 'rxjs';
import { HandlerRegistry } from '../handlers/handler-registry.js';
import { isTerminal, type Job } from '../job/job.js';
import { JobManager } from '../jobs/job-manager.js';
import { JobStore } from '../store/job-store.js';
import { JobWorker } from '../worker/job-worker.js';
import { TestJobStore } from './test-job-store.js';

/**
 * Runs all jobs that this application has handlers for, and the jobs that those submit, until they are terminal. Returns all jobs
 * of the store, including those that ended before, oldest first. With a `TestJobStore`, it moves the clock past delays and
 * retries; with another store, they take their real time. Starts the worker when `worker.autoStart` is false.
 *
 * @param withinMs how long to wait for a change of any job, default 10,000
 * @throws Error that names a job that did not end in that time, or when the application has no handlers
 */
export async function runJobs(app: INestApplicationContext, withinMs = 10_000): Promise<Job[]> {
  const find = <T>(token: abstract new (...args: never[]) => T): T => app.get<T>(token, { strict: false });
  const [jobs, store, handlers] = [find(JobManager), find(JobStore), find(HandlerRegistry)];
  if (handlers.names.length === 0) throw new Error('This application has no handlers, so it cannot run jobs.');
  await find(JobWorker).start();
  for (;;) {
    const handled = (await allJobs(jobs)).filter(({ name }) => handlers.get(name));
    const open = handled.filter(({ status }) => !isTerminal(status));
    const waiting = store instanceof TestJobStore ? open.filter((job) => isDelayed(job, store.now)) : [];
    const active = open.filter((job) => !waiting.includes(job));
    if (active.length > 0) {
      await Promise.all(active.map((job) => rest(jobs, job, store, withinMs)));
    } else if (waiting.length > 0) {
      const testStore = store as TestJobStore;
      await testStore.advance(Math.min(...waiting.map(({ scheduledAt }) => scheduledAt)) - testStore.now);
    } else {
      return handled.toSorted((a, b) => a.createdAt - b.createdAt);
    }
  }
}

async function allJobs(jobs: JobManager): Promise<Job[]> {
  const found: Job[] = [];
  let cursor: string | undefined;
  do {
    const page = await jobs.list({}, { limit: 1_000, cursor });
    found.push(...page.jobs);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return found;
}

/** Waits until the job is terminal, or is delayed in a store whose clock can be moved. */
async function rest(jobs: JobManager, { id, name }: Job, store: JobStore, withinMs: number): Promise<void> {
  const rests = (job: Job) => isTerminal(job.status) || (store instanceof TestJobStore && isDelayed(job, store.now));
  const ended = jobs.follow(id).pipe(filter(rests), takeUntil(timer(withinMs)));
  const job = await firstValueFrom(ended, { defaultValue: null });
  if (job) return;
  const { status } = (await jobs.find(id)) ?? { status: 'gone' };
  throw new Error(`Job ${name} ${id} is still ${status} after ${withinMs} ms.`);
}

function isDelayed({ status, scheduledAt }: Job, now: number): boolean {
  return status === 'Scheduled' && scheduledAt > now;
}
