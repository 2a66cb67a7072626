import * as fc from 'fast-check';
import { parseDuration } from '../cli/duration.js';
import { backoffMs } from '../client/backoff.js';
import { AsyncEndpointsClient } from '../client/client.js';
import type { ClientOptions } from '../client/options.js';
import { GROUPS, SETTINGS } from '../config/settings.js';
import { LONGEST_MS, LONGEST_TIMER_MS } from '../job/bounds.js';
import { type AsyncEndpointsError, RetryJobError } from '../job/errors.js';
import { decideRetry, retryDelayMs } from '../job/retry.js';
import { resolveJobPolicy, resolveOptions } from '../options/resolve.js';
import { MemoryJobStore } from '../stores/memory/memory-job-store.js';
import { PostgresJobStore } from '../stores/postgres/postgres-job-store.js';
import { RedisJobStore } from '../stores/redis/redis-job-store.js';
import { SqliteJobStore } from '../stores/sqlite/sqlite-job-store.js';
import { inTime } from '../store/in-time.js';
import { jobManagerOf } from './job-manager.testing.js';
import { newJob } from './new-job.js';

/** Numbers that code may compute by mistake. */
const ODD = [NaN, Infinity, -Infinity, -1, -0, 0, 0.5, 1e-300, 1.5, 2 ** 31 - 1, 2 ** 31, 2 ** 53, 1e21, 1e300];
const odd = fc.oneof(fc.constantFrom(...ODD), fc.double(), fc.integer());
const options = resolveOptions({}, {});

/** Whether the value is taken as it is, within bounds, or refused by an error that names option, value and what was expected. */
function isBounded(name: string, value: number, largest: number, take: () => unknown): boolean {
  try {
    take();
    return Math.abs(value) <= largest;
  } catch (error) {
    const { message } = error as Error;
    return message.includes(name) && message.includes(String(value)) && message.includes('expect');
  }
}

const isDelay = (ms: number) => Number.isInteger(ms) && ms >= 0 && ms <= LONGEST_MS;

describe('An arbitrary number', () => {
  const numeric = [...SETTINGS.values()].filter(({ accepts, key }) => accepts(1) && key !== 'http.unfinishedStatus');

  it.each(numeric.map(({ key }) => key).filter((key) => !/^(redis|postgres|sqlite)\./.test(key)))(
    'as the option %s is accepted within bounds, or refused with the name of the option',
    (key) => {
      const path = key.split('.');
      const name = path.pop() as string;
      fc.assert(
        fc.property(odd, (value) => {
          const given = path.reduceRight<object>((inner, group) => ({ [group]: inner }), { [name]: value });
          expect(isBounded(name, value, Number.MAX_SAFE_INTEGER, () => resolveOptions(given, {}))).toBe(true);
        }),
      );
    },
  );

  it('as an option of a job is accepted within bounds, or refused with its name', () => {
    const names = ['maxRetries', 'priority', 'concurrency', 'timeoutMs', 'maxQueueSize', 'maxResultBytes'];
    fc.assert(
      fc.property(fc.constantFrom(...names), odd, (name, value) => {
        const job = { name: 'Work', options: { [name]: value } };
        expect(isBounded(name, value, Number.MAX_SAFE_INTEGER, () => resolveJobPolicy(job, options.jobs))).toBe(true);
      }),
    );
  });

  it.each(['partitions', 'commandTimeoutMs'])(
    'as %s of a RedisJobStore is accepted, or refused with its name',
    (name) => {
      fc.assert(
        fc.property(odd, (value) => {
          expect(isBounded(name, value, 3_600_000, () => new RedisJobStore({ [name]: value }))).toBe(true);
        }),
      );
    },
  );

  it.each(['busyTimeoutMs', 'priorityAgingMs'])(
    'as %s of a SqliteJobStore is accepted, or refused with its name',
    (name) => {
      fc.assert(
        fc.property(odd, (value) => {
          const create = () => new SqliteJobStore({ path: 'never-opened.db', [name]: value });
          expect(isBounded(name, value, LONGEST_MS, create)).toBe(true);
        }),
      );
    },
  );

  it.each([
    ['commandTimeoutMs', 3_600_000],
    ['priorityAgingMs', LONGEST_MS],
  ])('as %s of a PostgresJobStore is accepted, or refused with its name', (name, largest) => {
    fc.assert(
      fc.property(odd, (value) => {
        expect(isBounded(name, value, largest, () => new PostgresJobStore({ [name]: value }))).toBe(true);
      }),
    );
  });

  it('as an option of a submission is stored within bounds, or refused with its name', () => {
    const policy = resolveJobPolicy({ name: 'Work', options: {} }, options.jobs);
    fc.assert(
      fc.property(fc.constantFrom('delayMs', 'priority', 'maxRetries'), odd, (name, value) => {
        const submit = () => newJob(policy, null, { [name]: value });
        expect(isBounded(name, value, LONGEST_MS, submit)).toBe(true);
      }),
    );
  });

  it('as the time of a start date is stored within bounds, or refused with its name', () => {
    const policy = resolveJobPolicy({ name: 'Work', options: {} }, options.jobs);
    fc.assert(
      fc.property(odd, (value) => {
        const scheduledAt = new Date(value);
        try {
          expect(isDelay(newJob(policy, null, { scheduledAt }).delayMs)).toBe(true);
        } catch (error) {
          expect((error as Error).message).toMatch(/^scheduledAt is .*; expected a valid date/);
        }
      }),
    );
  });

  it('as the delay of a RetryJobError becomes a delay that can be stored', () => {
    fc.assert(
      fc.property(odd, odd, fc.integer({ min: 0, max: 1_000 }), (afterMs, curveMs, retryCount) => {
        const policy = { ...options.jobs, retryCurve: () => curveMs };
        const job = { retryCount, maxRetries: 2_000 };
        const outcome = decideRetry(new RetryJobError('later', afterMs), job, policy);
        expect(outcome.verb === 'retry' && isDelay(outcome.delayMs)).toBe(true);
        expect(isDelay(retryDelayMs(retryCount + 1, policy))).toBe(true);
      }),
    );
  });

  it('as an argument of JobManager is capped, or refused with its name', async () => {
    const store = new MemoryJobStore();
    const jobs = jobManagerOf(store, options);
    const calls: [string, (value: number) => Promise<unknown>][] = [
      ['limit', (limit) => jobs.list({}, { limit })],
      ['runningForMs', (runningForMs) => jobs.list({ runningForMs })],
      ['runningForMs', (runningForMs) => jobs.runningFor(runningForMs)],
      ['runningForMs', (runningForMs) => jobs.recover({ runningForMs })],
    ];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...calls), odd, async ([name, call], value) => {
        const refusal = await call(value).then(
          () => null,
          (error: AsyncEndpointsError) => error,
        );
        if (refusal) expect(refusal.message).toMatch(new RegExp(`^${name} is .*; expected a number`));
        else expect(value).not.toBeNaN();
      }),
    );
  });

  it('as the timeout of a wait is accepted or refused, and never ends at once', async () => {
    const store = new MemoryJobStore();
    const jobs = jobManagerOf(store, options);
    const { id } = await jobs.submit('Work', null);
    for (const timeoutMs of [NaN, -1]) {
      await expect(jobs.waitFor(id, { timeoutMs })).rejects.toThrow(`timeoutMs is ${timeoutMs}; expected a number`);
      expect(() => inTime(Promise.resolve(), timeoutMs)).toThrow(`timeoutMs is ${timeoutMs}; expected a number`);
    }
    const waits = [2 ** 31, 1e21, Infinity].map((timeoutMs) => jobs.waitFor(id, { timeoutMs }));
    const [claimed] = await store.claim({ worker: 'w', leaseMs: 1_000, limit: 1, slots: new Map([['Work', 1]]) });
    const settlement = { id, name: 'Work', fence: claimed?.fence as number, verb: 'complete', result: '7' } as const;
    // The waits have read the job by now; one whose timer had fired would answer with what it read.
    await new Promise((resolve) => setTimeout(resolve, 20));
    await store.settle([settlement]);
    for (const job of await Promise.all(waits)) expect(job).toMatchObject({ status: 'Completed', result: 7 });
  });

  it('as an option of the client is accepted within bounds, or refused with its name', () => {
    const names = ['longPollMs', 'requestTimeoutMs', 'streamIdleMs', 'limit', 'baseDelayMs', 'maxDelayMs'];
    fc.assert(
      fc.property(fc.constantFrom(...names), odd, (name, value) => {
        const isRetry = ['limit', 'baseDelayMs', 'maxDelayMs'].includes(name);
        const given: ClientOptions = isRetry ? { retry: { [name]: value } } : { [name]: value };
        const largest = name === 'limit' ? Infinity : LONGEST_TIMER_MS;
        const create = () => new AsyncEndpointsClient({ baseUrl: 'http://x', ...given });
        expect(isBounded(name, value, largest, create)).toBe(true);
      }),
    );
  });

  it('of failures in a row leads to a client delay that a timer accepts', () => {
    const patience = fc.integer({ min: 0, max: LONGEST_TIMER_MS });
    fc.assert(
      fc.property(
        fc.integer({ min: 1 }),
        fc.option(odd),
        patience,
        patience,
        (failures, asked, baseDelayMs, maxDelayMs) => {
          const retryAfterMs = asked === null || !(asked >= 0) ? null : asked;
          const delay = backoffMs(failures, retryAfterMs, { limit: Infinity, baseDelayMs, maxDelayMs });
          expect(delay === null || (delay >= 0 && delay <= LONGEST_TIMER_MS)).toBe(true);
        },
      ),
    );
  });

  it('in a duration on the command line is accepted up to ten years', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.constantFrom('ms', 's', 'm', 'h', 'd'), (value, unit) => {
        const ms = parseDuration(`${value}${unit}`);
        expect(ms === null || isDelay(ms)).toBe(true);
      }),
    );
    expect(parseDuration(`${'9'.repeat(400)}d`)).toBeNull();
    expect(parseDuration('3650d')).toBe(LONGEST_MS);
    expect(parseDuration('3651d')).toBeNull();
  });

  it('is tested in every group of options', () => {
    expect(Object.keys(GROUPS)).toEqual(
      expect.arrayContaining(['worker', 'jobs', 'jobs.retention', 'recovery', 'http']),
    );
    expect(numeric.length).toBeGreaterThan(20);
  });
});
