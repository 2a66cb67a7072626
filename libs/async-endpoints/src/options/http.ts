import { type CanActivate, type Type, VERSION_NEUTRAL } from '@nestjs/common';
import { isCredential } from '../job/credentials.js';
import type { HttpRequest } from './response.js';
import {
  flag,
  hook,
  integer,
  isFunction,
  isListOf,
  namesToCarry,
  option,
  type OptionsOf,
  pattern,
  readList,
  readNumber,
  rule,
} from './rules.js';

type Version = string | string[] | typeof VERSION_NEUTRAL;

/** A method, so that functions with a narrower request type, such as `{ user: User }`, are accepted. */
interface PrincipalOf {
  of(request: HttpRequest): string | null | Promise<string | null>;
}

const CAPTURED = 'accept,accept-language,content-type,user-agent,x-request-id,x-correlation-id,traceparent,tracestate';

/** The options of `http` that must be known before the application is put together. */
export const STATUS_ROUTES = {
  /** Whether the status routes exist. Default true. */
  statusRoutes: option(() => true, flag()),
  /** The path of the status routes, below any global prefix. Default `jobs`. */
  path: option(() => 'jobs', pattern(/^[\w~.-]+(\/[\w~.-]+)*$/, 'a path such as jobs or admin/jobs')),
  /** Guards of the status routes. */
  guards: option(() => [], rule<(Type<CanActivate> | CanActivate)[]>('a list of guards', Array.isArray)),
  /** Any other class decorators for their controller: interceptors, filters, documentation. */
  decorators: option(() => [], rule<ClassDecorator[]>('a list of class decorators', isListOf(isFunction))),
  /** Their API version. Default: neutral. */
  version: option(
    (): Version => VERSION_NEUTRAL,
    rule<Version>('a version, a list of versions or VERSION_NEUTRAL', isVersion, readList),
  ),
};

export type StatusRoutesOptions = OptionsOf<typeof STATUS_ROUTES>;

export const HTTP = {
  ...STATUS_ROUTES,
  /** Returns the principal of a request (user, tenant) as a string. A job of one owner does not exist for another. */
  owner: option(() => undefined, hook<PrincipalOf['of']>()),
  /**
   * Returns the scope of an `Idempotency-Key`, by a string that two callers never share, such as a tenant, session or API key;
   * only a digest of it is stored. Set it when callers differ and `owner` is not set: without both, a key of one caller finds
   * the job of another. Default: keys count within the owner, or for all callers when there is no owner.
   */
  idempotencyScope: option(() => undefined, hook<PrincipalOf['of']>()),
  /** The request headers that handlers can read. Credentials are refused. */
  captureHeaders: option(
    () => CAPTURED.split(','),
    rule<string[]>('a list of header names, none of them a credential', isListOf(isHeaderToCapture), readList),
  ),
  /**
   * The query values that handlers of every endpoint can read, in addition to those that an endpoint's method declares by
   * `@Query('name')`. Credentials are refused. Default none.
   */
  captureQueryParams: option(() => [], namesToCarry()),
  /** The prefix that a gateway puts in front of the paths, for links, such as `/shop`. Default none. */
  publicBasePath: option(() => '', pattern(/^(\/[^/?#\s]+)*$/, 'a path such as /shop, or nothing')),
  /** The status code of the status route while the job is not terminal. Default 202. */
  unfinishedStatus: option(
    (): 200 | 202 => 202,
    rule<200 | 202>('200 or 202', (value) => value === 200 || value === 202, readNumber),
  ),
  /** Whether clients see the failed attempts of their jobs, without the workers that made them. Default false. */
  showAttempts: option(() => false, flag()),
  /** The longest time in a `Retry-After`, in ms; the shortest is 1 s. Default 60,000. */
  maxRetryAfterMs: option(() => 60_000, integer(1_000, 86_400_000)),
  /** The longest time that `Prefer: wait=N` holds a response, in ms; 0 for never. Gateways often give up at 60 s. Default 30,000. */
  maxWaitMs: option(() => 30_000, integer(0, 3_600_000)),
  /**
   * The most responses (`Prefer: wait`) and event streams that this process holds open at once, 1 to 1,000,000. Further ones are
   * refused with 503. Default 10,000.
   */
  maxHeldAnswers: option(() => 10_000, integer(1, 1_000_000)),
  /** The same for one owner, when `owner` is set. Further ones are refused with 429. Default 1,000. */
  maxHeldAnswersPerOwner: option(() => 1_000, integer(1, 1_000_000)),
  /**
   * How long the client of an event stream may read nothing before it is disconnected, in ms. Meanwhile, only the latest state
   * of the job is kept for it. Default 30,000.
   */
  slowReaderTimeoutMs: option(() => 30_000, integer(100, 3_600_000)),
  /** How often an event stream without events sends a sign of life, in ms. Default 15,000. */
  keepAliveMs: option(() => 15_000, integer(1_000, 3_600_000)),
  /**
   * How long submissions are accepted after a shutdown began, in ms. Readiness fails and responses close their connections from
   * the first moment, so that load balancers and clients have this time to go elsewhere. Running jobs are drained meanwhile.
   * Default 0.
   */
  shutdownDelayMs: option(() => 0, integer(0, 3_600_000)),
};

export type HttpOptions = OptionsOf<typeof HTTP>;

function isVersion(value: unknown): boolean {
  return typeof value === 'string' || value === VERSION_NEUTRAL || isListOf((v) => typeof v === 'string')(value);
}

function isHeaderToCapture(name: unknown): boolean {
  return typeof name === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(name) && !isCredential(name);
}
