import type { ModuleMetadata } from '@nestjs/common';
import type { Retention } from '../job/job.js';
import type { RetryPolicy } from '../job/retry.js';
import type { JobStore } from '../store/job-store.js';
import { CONTEXT, type ContextOptions } from './context.js';
import { HTTP, type HttpOptions, type StatusRoutesOptions } from './http.js';
import { JOBS, type JobsOptions } from './jobs.js';
import { RESPONSE, type ResponseOptions } from './response.js';
import { type Given, oneOf } from './rules.js';
import { RECOVERY, type RecoveryOptions, WORKER, type WorkerOptions } from './worker.js';

export type { ContextOptions } from './context.js';
export type { HttpOptions, StatusRoutesOptions } from './http.js';
export type { JobsOptions } from './jobs.js';
export type { HttpRequest, Reply, ResponseContext, ResponseOptions } from './response.js';
export type { Given } from './rules.js';
export type { RecoveryOptions, WorkerOptions } from './worker.js';

/** The groups of options. Each option is declared in the file of its group, and nowhere else. */
export const GROUPS = {
  worker: WORKER,
  jobs: JOBS,
  recovery: RECOVERY,
  context: CONTEXT,
  response: RESPONSE,
  http: HTTP,
} as const;

/** What a process does: both sides, HTTP only (no handlers needed), or jobs only (no routes mapped). */
export type Role = 'all' | 'api' | 'worker';

export const ROLES = oneOf<Role>('all', 'api', 'worker');

/** What `useFactory` of `forRootAsync` returns. */
export interface AsyncEndpointsOptions {
  /** Where jobs live. Default: a `MemoryJobStore`. */
  store?: JobStore | undefined;
  worker?: Given<WorkerOptions> | undefined;
  jobs?: Given<JobsOptions> | undefined;
  recovery?: Given<RecoveryOptions> | undefined;
  context?: Given<ContextOptions> | undefined;
  response?: ResponseOptions | undefined;
  http?: Given<Omit<HttpOptions, keyof StatusRoutesOptions>> | undefined;
}

/** Options that must be known before the application is put together. They stand beside `useFactory`, not in its result. */
export interface AsyncEndpointsExtras {
  /** Default true: import the module once, use it everywhere. */
  isGlobal?: boolean | undefined;
  /** Default `all`. */
  role?: Role | undefined;
  /** Modules whose providers the classes in `http.guards` and `http.decorators` need. With `forRootAsync`, also those of the factory. */
  imports?: NonNullable<ModuleMetadata['imports']> | undefined;
  http?: Given<StatusRoutesOptions> | undefined;
}

export interface ResolvedOptions {
  readonly worker: Readonly<WorkerOptions>;
  readonly jobs: Readonly<JobsOptions & { retention: Retention }>;
  readonly recovery: Readonly<RecoveryOptions>;
  readonly context: Readonly<ContextOptions>;
  readonly response: Readonly<ResponseOptions>;
  readonly http: Readonly<HttpOptions>;
}

/** The options of one job name after defaults. */
export interface JobPolicy extends RetryPolicy {
  readonly name: string;
  readonly maxRetries: number;
  readonly timeoutMs: number;
  readonly priority: number;
  readonly retention: Retention;
  readonly concurrency: number | null;
  readonly maxQueueSize: number | null;
  readonly maxQueueBytes: number | null;
  readonly maxPayloadBytes: number;
  readonly maxResultBytes: number;
  readonly idempotencyRetentionMs: number;
}

/** The token of {@link ResolvedOptions}. */
export const OPTIONS = Symbol.for('nestjs-async-endpoints:options');

/** The token of the {@link Role} of this process. */
export const ROLE = Symbol.for('nestjs-async-endpoints:role');
