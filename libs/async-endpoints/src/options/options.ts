import type { CanActivate, InjectionToken, ModuleMetadata, Type, VERSION_NEUTRAL } from '@nestjs/common';
import type { AsyncEndpointsError } from '../job/errors.js';
import type { CarriedValues, Job, Retention } from '../job/job.js';
import type { RetryCurve, RetryPolicy } from '../job/retry.js';
import type { JobStore } from '../store/job-store.js';

/** What a process does: both sides, HTTP only (no handlers needed), or jobs only (no routes mapped). */
export type Role = 'all' | 'api' | 'worker';

export interface WorkerOptions {
  /**
   * Names this worker in the jobs that it runs and in the log. `@` and the host's name are added where it does not contain them.
   * Default: host, process id and a random part.
   */
  workerId: string;
  /** What the release of the application is called, for `workers()` and `npx async-endpoints workers`. Default: nothing. */
  version: string;
  /** The most jobs that this worker runs at once, 1 to 10,000. Default: the number of processors. */
  maxConcurrency: number;
  /** The most jobs that one call to the store claims, 1 to 10,000. Default 10,000: whatever there is room for. */
  maxClaimBatchSize: number;
  /** How often to look for work although none was announced, in ms: the net under push. Default 5000. */
  pollingIntervalMs: number;
  /** How long a claim is valid without renewal, in ms; it is renewed at a third of it. Default 15,000. */
  leaseMs: number;
  /** How long running jobs may go on after shutdown began, in ms. Default 30,000. */
  drainTimeoutMs: number;
  /** How long a handler may go on after its signal was aborted before its slot is taken away, in ms. Default 2000. */
  abortGraceMs: number;
  /**
   * Whether the application's global guards, interceptors, pipes and filters run around handlers, too. Default false: most
   * are made for HTTP. `host.getType()` is `async-job` in them.
   */
  globalEnhancers: boolean;
  /**
   * Whether a run is aborted with `CLAIM_LOST` as soon as its lease is over by this worker's own clock, although the store has
   * not said that the claim is lost. With `false` a run goes on while the store is away, and is aborted when the store answers
   * that another worker has the job. Default false.
   */
  abortOnLeaseEnd: boolean;
  /** Whether the worker starts with the application; otherwise call `JobWorker.start()`. Default true. */
  autoStart: boolean;
}

export interface JobsOptions {
  /** Retries after the first attempt, 0 to 1000, where a job has no own number. Default 3. */
  defaultMaxRetries: number;
  /** How delays grow. Default `exponential`: 2^n × base, so 4, 8, 16 s. */
  retryCurve: RetryCurve;
  /** The base of the curve, in ms. Default 2000. */
  retryDelayBaseMs: number;
  /** The longest delay between attempts, in ms. Default one hour. */
  maxRetryDelayMs: number;
  /** The part of each delay that is random, 0 to 1, so that jobs that failed together do not retry together. Default 0.2. */
  retryJitter: number;
  /** How long one attempt may run, in ms. Default 30 minutes. */
  timeoutMs: number;
  /** How long finished jobs are kept, in ms. Default one day; failed ones seven. */
  retention: Partial<Retention>;
  /** How long an idempotency key is remembered, in ms; its job is kept at least as long. Default one day. */
  idempotencyRetentionMs: number;
  /** The most jobs that may wait, over all names and instances; more are refused. Default 100,000. */
  maxQueueSize: number;
  /**
   * How much waiting jobs may take in the store, over all names and instances, in bytes of their stored records; once they
   * do, more are refused. Default 128 MiB.
   */
  maxQueueBytes: number;
  /** The largest request in bytes of JSON. Default 1 MiB. */
  maxPayloadBytes: number;
  /** The largest result in bytes of JSON. Default 1 MiB. */
  maxResultBytes: number;
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

/** Carries values from the code that submits a job to the handler that runs it: tenant, user, locale. */
export interface ContextOptions {
  /** The names of the values. A name of a credential, such as `token`, is refused at boot. Default none. */
  names: string[];
  /**
   * Reads one value where a job is submitted, in that code's async context; `undefined` for none. It is stored with the job
   * as JSON. Required where there are names.
   *
   * @param request of an async endpoint; undefined where code calls `JobManager.submit`
   */
  read: ((name: string, request?: HttpRequest) => unknown) | undefined;
  /**
   * Calls `work`, which runs the handler, in an async context with these values: for nestjs-cls
   * `(values, work) => cls.runWith(values, work)`. Default: the values are in `JobContext.values` alone.
   */
  run: ((values: CarriedValues, work: () => Promise<unknown>) => unknown) | undefined;
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
  jobSubmitted?: Factory<Job & { readonly replayed: boolean }> | undefined;
  /** A job was asked for or canceled; `null` where there is none for this client. */
  jobStatus?: Factory<Job | null> | undefined;
  /** A submission was refused: conflict, queue full, too large, store unreachable, shutting down. */
  submissionError?: Factory<AsyncEndpointsError> | undefined;
  /** Anything else that went wrong in the library's part of a request. */
  exception?: Factory<unknown> | undefined;
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
interface PrincipalOf {
  of(request: HttpRequest): string | null | Promise<string | null>;
}

export interface HttpOptions extends StatusRoutesOptions {
  /** Names the principal of a request (user, tenant), by a string. A job of one owner does not exist for another. */
  owner: PrincipalOf['of'] | undefined;
  /**
   * Names what an `Idempotency-Key` counts within, by a string that two callers never share, such as a tenant, session or API
   * key; only a digest of it is stored. Needed where callers differ and `owner` is not set: without both, a key of one
   * caller finds the job of another. Default: keys count within the owner, or else for all callers.
   */
  idempotencyScope: PrincipalOf['of'] | undefined;
  /** The request headers that handlers get to see. Credentials are refused. */
  captureHeaders: string[];
  /**
   * The query values that handlers of every endpoint get to see, beside what the parameters of an endpoint's method declare
   * by `@Query('name')`. Credentials are refused. Default none.
   */
  captureQueryParams: string[];
  /** What a gateway puts in front of the paths, for links, such as `/shop`. Default none. */
  publicBasePath: string;
  /** What the status route answers while the job is unfinished. Default 202. */
  unfinishedStatus: 200 | 202;
  /** Whether clients see the failed attempts of their jobs, without the workers that made them. Default false. */
  showAttempts: boolean;
  /** The longest that `Retry-After` asks clients to stay away, in ms; the least is 1 s. Default 60,000. */
  maxRetryAfterMs: number;
  /** The longest that `Prefer: wait=N` holds an answer, in ms; 0 for never. Default 30,000: gateways give up at 60 s. */
  maxWaitMs: number;
  /**
   * The most answers (`Prefer: wait`) and streams of events that this process holds open at once, 1 to 1,000,000; more are
   * refused with 503. Default 10,000.
   */
  maxHeldAnswers: number;
  /** Likewise of one owner, where `owner` is set; more are refused with 429. Default 1,000. */
  maxHeldAnswersPerOwner: number;
  /**
   * How long the reader of a stream may take nothing of what was written, in ms; then it is disconnected. Meanwhile only the
   * latest state of the job is kept for it. Default 30,000.
   */
  slowReaderTimeoutMs: number;
  /** How often a stream of events that has nothing to say shows that it is alive, in ms. Default 15,000. */
  keepAliveMs: number;
  /**
   * How long submissions are still taken after shutdown began, in ms. Readiness fails and answers close their connections from
   * the first moment, so that balancers and clients have this time to go elsewhere. Running jobs are drained meanwhile.
   * Default 0.
   */
  shutdownDelayMs: number;
}

/** Some of the options; `undefined` means the default. */
export type Given<TOptions> = { [Name in keyof TOptions]?: TOptions[Name] | undefined };

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

/** What must be known before the application is put together, and so stands beside `useFactory`, not in its result. */
export interface AsyncEndpointsExtras {
  /** Default true: import the module once, use it everywhere. */
  isGlobal?: boolean | undefined;
  /** Default `all`. */
  role?: Role | undefined;
  /** Modules whose providers the classes in `http.guards` and `http.decorators` need. Of `forRootAsync`, also those of the factory. */
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

/** The options of one kind of job after defaults. */
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
