import type { CanActivate, InjectionToken, Type, VERSION_NEUTRAL } from '@nestjs/common';
import type { AsyncEndpointsError } from './job/errors.js';
import type { Job, Retention } from './job/job.js';
import type { RetryCurve, RetryPolicy } from './job/retry.js';
import type { JobStore } from './store/job-store.js';

/** What a process does: both sides, HTTP only (no handlers needed), or jobs only (no routes mapped). */
export type Role = 'all' | 'api' | 'worker';

export interface WorkerOptions {
  /** Names this worker in the jobs that it runs. Default: host, process id and a random part. */
  workerId: string;
  /** The most jobs that this worker runs at once, 1 to 10,000. Default: the number of processors. */
  maximumConcurrency: number;
  /** The most jobs that one call to the store claims, 1 to 10,000. Default 10,000: whatever there is room for. */
  maxClaimBatchSize: number;
  /** How often to look for work although none was announced, in ms: the net under push. Default 5000. */
  pollingIntervalMs: number;
  /** How long a claim is believed without renewal, in ms; renewed at a third of it. Default 15,000. */
  leaseMs: number;
  /** How long running jobs may go on after shutdown began, in ms. Default 30,000. */
  drainTimeoutMs: number;
  /** How long a handler may go on after its signal was aborted before its slot is taken away, in ms. Default 2000. */
  abortGraceMs: number;
}

export interface JobsOptions {
  /** Retries after the first attempt, 0 to 1000, where a job has no own number. Default 3. */
  defaultMaxRetries: number;
  /** How delays grow. Default `exponential`: 2^n × base, so 4, 8, 16 s. */
  retryCurve: RetryCurve;
  /** The base of the curve in seconds. Default 2. */
  retryDelayBaseSeconds: number;
  /** The longest delay between attempts, in ms. Default one hour. */
  maxRetryDelayMs: number;
  /** The part of each delay that is random, 0 to 1. Default 0. */
  retryJitter: number;
  /** How long one attempt may run, in ms. Default 30 minutes. */
  timeoutMs: number;
  /** How long finished jobs are kept, in ms. Default one day; failed ones seven. */
  retention: Partial<Retention>;
  /** How long an idempotency key is remembered, in ms; its job is kept at least as long. Default one day. */
  idempotencyRetentionMs: number;
  /** The most jobs that may wait, over all names and instances; more are refused. Default 100,000. */
  maximumQueueSize: number;
  /** The largest request in bytes of JSON. Default 1 MiB. */
  maximumPayloadBytes: number;
  /** The largest result in bytes of JSON. Default 1 MiB. */
  maximumResultBytes: number;
}

export interface RecoveryOptions {
  /** Whether this worker takes back the jobs of workers that vanished. Default true. */
  enabled: boolean;
  /** How often, in ms. Default 5000. */
  sweepIntervalMs: number;
  /** A job fails with `WORKER_CRASHED` when its worker has vanished this often. Default 3. */
  maxCrashes: number;
  /** The most jobs recovered or purged by one call to the store. Default 100. */
  batchSize: number;
}

/** What the library reads of a request; the rest of Express's or Fastify's object is there too. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly params?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
}

/** An answer: status code, headers, and a body to be written as JSON. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface ResponseContext {
  readonly request: HttpRequest;
  /** What would be answered without the factory: return it changed, or something else. */
  readonly reply: Reply;
  /** Anything of the application's DI container that is not request-scoped. */
  get<T>(token: InjectionToken<T>): T;
}

type Factory<TSubject> = (subject: TSubject, context: ResponseContext) => Reply | Promise<Reply>;

/** Hooks that change what clients are answered. Each may be async. */
export interface ResponseOptions {
  /** A job was accepted, or recognised as accepted before. */
  jobSubmitted?: Factory<Job & { readonly replayed: boolean }>;
  /** A job was asked for or canceled; `null` where there is none for this client. */
  jobStatus?: Factory<Job | null>;
  /** A submission was refused: conflict, queue full, too large, store unreachable, shutting down. */
  submissionError?: Factory<AsyncEndpointsError>;
  /** Anything else that went wrong in the library's part of a request. */
  exception?: Factory<unknown>;
}

export interface StatusRoutesOptions {
  /** Whether the status routes exist. Default true. */
  statusRoutes: boolean;
  /** Where they are, below any global prefix. Default `jobs`. */
  path: string;
  /** Guards of the status routes. */
  guards: (Type<CanActivate> | CanActivate)[];
  /** Any other class decorators for their controller: interceptors, filters, documentation. */
  decorators: ClassDecorator[];
  /** Their API version. Default: neutral. */
  version: string | string[] | typeof VERSION_NEUTRAL;
}

/** A method, so that a function of what the application knows its requests to be, `{ user: User }`, is one as well. */
interface OwnerOf {
  of(request: HttpRequest): string | null | Promise<string | null>;
}

export interface HttpOptions extends StatusRoutesOptions {
  /** Names the principal of a request (user, tenant), by a string. A job of one owner does not exist for another. */
  owner: OwnerOf['of'] | undefined;
  /** The request headers that handlers get to see. Credentials are refused. */
  captureHeaders: string[];
  /** What a gateway puts in front of the paths, for links, such as `/shop`. Default none. */
  publicBasePath: string;
  /** What the status route answers while the job is unfinished. Default 202. */
  unfinishedStatus: 200 | 202;
  /** The longest that `Retry-After` asks clients to stay away, in seconds; the least is 1. Default 60. */
  maxRetryAfterSeconds: number;
  /** The longest that `Prefer: wait=N` holds an answer, in seconds; 0 for never. Default 30: gateways give up at 60. */
  maxWaitSeconds: number;
  /** How often a stream of events that has nothing to say shows that it is alive, in seconds. Default 15. */
  keepAliveSeconds: number;
  /**
   * How long submissions are still taken after shutdown began, in ms. Readiness fails and answers close their connections from
   * the first moment, so that balancers and clients have this time to go elsewhere. Running jobs are drained meanwhile.
   * Default 0.
   */
  shutdownDelayMs: number;
}

/** What `useFactory` of `forRootAsync` returns. */
export interface AsyncEndpointsOptions {
  /** Where jobs live. Default: a `MemoryJobStore`. */
  store?: JobStore;
  worker?: Partial<WorkerOptions>;
  jobs?: Partial<JobsOptions>;
  recovery?: Partial<RecoveryOptions>;
  response?: ResponseOptions;
  http?: Partial<Omit<HttpOptions, keyof StatusRoutesOptions>>;
}

/** What must be known before the application is put together, and so stands beside `useFactory`, not in its result. */
export interface AsyncEndpointsExtras {
  /** Default true: import the module once, use it everywhere. */
  isGlobal?: boolean;
  /** Default `all`. */
  role?: Role;
  http?: Partial<StatusRoutesOptions>;
}

export interface ResolvedOptions {
  readonly worker: Readonly<WorkerOptions>;
  readonly jobs: Readonly<JobsOptions & { retention: Retention }>;
  readonly recovery: Readonly<RecoveryOptions>;
  readonly response: Readonly<ResponseOptions>;
  readonly http: Readonly<HttpOptions>;
}

/** The options of one kind of job after defaults. */
export interface JobPolicy extends RetryPolicy {
  readonly name: string;
  readonly maxRetries: number;
  readonly timeoutMs: number;
  readonly priority: number;
  readonly retention: Retention;
  readonly concurrency: number | null;
  readonly maximumQueueSize: number | null;
  readonly maximumPayloadBytes: number;
  readonly maximumResultBytes: number;
  readonly idempotencyRetentionMs: number;
}

/** The token of {@link ResolvedOptions}. */
export const OPTIONS = Symbol.for('nestjs-async-endpoints:options');
