import assert from 'node:assert/strict';
import type { Claim, JobRecord, NewJob } from '../../job/job.js';
import type { ClaimRequest, JobStore, QueueLimits, Submission } from '../../store/job-store.js';
import { aJob } from '../a-job.js';

/** The store of the current test. */
export interface Subject {
  readonly store: JobStore;
  advance(ms: number): void | Promise<void>;
  dispose(): Promise<void>;
}

const NO_LIMIT: QueueLimits = { queueLimit: Number.MAX_SAFE_INTEGER };

export async function submitOne(store: JobStore, job: Partial<NewJob> = {}, limits = NO_LIMIT): Promise<Submission> {
  return only(await store.submit([aJob(job)], limits));
}

/** Submits a job and asserts that it was inserted. */
export async function created(store: JobStore, job: Partial<NewJob> = {}): Promise<JobRecord> {
  const submission = await submitOne(store, job);
  assert.equal(submission.outcome, 'created');
  return (submission as { job: JobRecord }).job;
}

export function claimSome(store: JobStore, request: Partial<ClaimRequest> = {}): Promise<Claim[]> {
  return store.claim({ worker: 'worker-1', leaseMs: 1_000, limit: 1, slots: new Map([['Work', 100]]), ...request });
}

export async function claimOne(store: JobStore, request: Partial<ClaimRequest> = {}): Promise<Claim> {
  return only(await claimSome(store, request));
}

/** Submits a job and claims it. */
export async function running(store: JobStore, job: Partial<NewJob> = {}): Promise<Claim> {
  await created(store, job);
  return claimOne(store);
}

export async function find(store: JobStore, id: string): Promise<JobRecord> {
  const job = only(await store.find([id]));
  assert.ok(job, `job ${id} is gone`);
  return job;
}

export async function statusOf(store: JobStore, id: string): Promise<string | null> {
  return only(await store.find([id]))?.status ?? null;
}

/** The bytes of all waiting jobs, as counted by the store. */
export async function waitingBytes(store: JobStore): Promise<number> {
  return (await store.stats()).reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
}

export function only<T>(items: readonly T[]): T {
  assert.equal(items.length, 1);
  return items[0] as T;
}
