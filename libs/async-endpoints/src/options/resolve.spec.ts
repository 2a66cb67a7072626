import { VERSION_NEUTRAL } from '@nestjs/common';
import type { AsyncEndpointsOptions } from './options.js';
import { resolveExtras, resolveJobPolicy, resolveOptions } from './resolve.js';

describe('Options', () => {
  it('have the documented defaults', () => {
    const { worker, jobs, recovery, http } = resolveOptions({}, {});
    expect(worker).toMatchObject({
      pollingIntervalMs: 5_000,
      leaseMs: 15_000,
      drainTimeoutMs: 30_000,
      abortGraceMs: 2_000,
    });
    expect(jobs).toMatchObject({ defaultMaxRetries: 3, retryDelayBaseMs: 2_000, timeoutMs: 1_800_000 });
    expect(jobs).toMatchObject({ retryCurve: 'exponential', retryJitter: 0.2 });
    expect(jobs.retention).toEqual({ completedMs: 86_400_000, failedMs: 604_800_000, canceledMs: 86_400_000 });
    expect(recovery).toEqual({ enabled: true, sweepIntervalMs: 5_000, maxCrashes: 3, batchSize: 100 });
    expect(http).toMatchObject({ path: 'jobs', statusRoutes: true, unfinishedStatus: 202, version: VERSION_NEUTRAL });
    expect(http).toMatchObject({ maxRetryAfterMs: 60_000, maxWaitMs: 30_000, keepAliveMs: 15_000 });
    expect(resolveExtras({}).role).toBe('all');
  });

  it.each([
    [{ worker: { maxConcurrency: 0 } }, 'worker.maxConcurrency is 0; expected an integer from 1 to 10000.'],
    [{ worker: { leaseMs: '15s' } }, 'worker.leaseMs is "15s"; expected an integer from 100'],
    [{ worker: { leasMs: 1 } }, 'worker.leasMs is 1; expected one of the options that exist: workerId, maxConcurrency'],
    [{ worker: 5 }, 'worker is 5; expected an object.'],
    [{ jobs: { defaultMaxRetries: 1.5 } }, 'jobs.defaultMaxRetries is 1.5; expected an integer from 0 to 1000.'],
    [{ jobs: { retryJitter: 2 } }, 'jobs.retryJitter is 2; expected a number from 0 to 1.'],
    [
      { jobs: { retryCurve: 'cubic' } },
      'jobs.retryCurve is "cubic"; expected exponential, linear, fixed or a function.',
    ],
    [
      { jobs: { retention: { completed: 1 } } },
      'jobs.retention.completed is 1; expected one of the options that exist: completedMs, failedMs, canceledMs',
    ],
    [{ recovery: { enabled: 'yes' } }, 'recovery.enabled is "yes"; expected true or false.'],
    [{ response: { jobStatus: 1 } }, 'response.jobStatus is 1; expected a function.'],
    [{ http: { publicBasePath: 'shop' } }, 'http.publicBasePath is "shop"; expected a path such as /shop, or nothing.'],
    [{ http: { captureHeaders: ['Cookie'] } }, 'expected a list of header names, none of them a credential.'],
    [{ http: { path: 'jobs' } }, 'http.path is "jobs"; expected beside useFactory'],
    [{ wroker: {} }, 'wroker is [object Object]; expected one of the options that exist: store, worker, jobs'],
  ])('with a wrong value are refused with the value and the expected one: %j', (options, message) => {
    expect(() => resolveOptions(options as AsyncEndpointsOptions, {})).toThrow(message);
  });

  it.each([
    [{ role: 'both' }, 'role is "both"; expected all, api or worker.'],
    [{ http: { path: '/jobs' } }, 'http.path is "/jobs"; expected a path such as jobs or admin/jobs.'],
    [{ http: { guards: 'none' } }, 'http.guards is "none"; expected a list of guards.'],
  ])('that are needed before the application exists are checked early: %j', (extras, message) => {
    expect(() => resolveExtras(extras as never)).toThrow(message);
  });
});

describe('The options of a job', () => {
  const { jobs } = resolveOptions({ jobs: { defaultMaxRetries: 7, retention: { failedMs: 5 } } }, {});

  it('override the defaults one by one, unless they are undefined', () => {
    const options = { timeoutMs: 5, retention: { completedMs: 1 }, maxRetries: undefined };
    const policy = resolveJobPolicy({ name: 'A', options }, jobs);
    expect(policy).toMatchObject({
      maxRetries: 7,
      timeoutMs: 5,
      priority: 0,
      concurrency: null,
      maxQueueSize: null,
    });
    expect(policy.retention).toEqual({ completedMs: 1, failedMs: 5, canceledMs: 86_400_000 });
  });

  it.each([
    [{ name: 'A', options: { priority: 1_000 } }, 'job "A".priority is 1000; expected an integer from -100 to 100.'],
    [
      { name: 'A', options: { retention: { failedMs: -1 } } },
      'job "A".retention.failedMs is -1; expected an integer from 0',
    ],
    [{ name: 'A', options: { timeout: 1 } }, 'job "A".timeout is 1; expected one of the options that exist'],
    [{ name: 'a job', options: {} }, 'the name of job "a job" is "a job"; expected letters, digits'],
    [{ name: '', options: {} }, 'expected letters, digits'],
  ])('with a wrong value are refused by name: %j', (job, message) => {
    expect(() => resolveJobPolicy(job as never, jobs)).toThrow(message);
  });
});
