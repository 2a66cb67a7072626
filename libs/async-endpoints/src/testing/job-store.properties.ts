import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { isTerminal, isWaiting, JOB_STATUSES, type JobRecord, type NewJob } from '../job/job.js';
import type { Outcome } from '../job/lifecycle.js';
import type { JobFilter, Recovered } from '../store/job-store.js';
import { aJob } from './a-job.js';
import type { StoreUnderTest } from './contract/describe-job-store.js';
import { JobStoreModel } from './job-store.model.js';

type Step = fc.AsyncCommand<JobStoreModel, StoreUnderTest>;

/** Few different values, so that steps affect the same jobs. */
const IDS = Array.from({ length: 8 }, (_, n) => `00000000-0000-4000-8000-00000000000${n}`);
const NAMES = ['A', 'B'];
const ERROR = { code: 'E', message: 'went wrong' };

const anId = fc.constantFrom(...IDS);
const ids = fc.array(anId, { maxLength: 3 });
const aDelay = fc.constantFrom(0, 0, 0, 50, 500);

const aSubmission: fc.Arbitrary<NewJob> = fc
  .record({
    id: anId,
    name: fc.constantFrom(...NAMES),
    owner: fc.constantFrom(null, 'ann'),
    priority: fc.constantFrom(0, 0, 5, -5),
    delayMs: aDelay,
    fingerprint: fc.constantFrom(null, 'x', 'y'),
    idempotency: fc.constantFrom(null, null, { key: 'k', retentionMs: 200 }, { key: 'l', retentionMs: 1_000 }),
    queueLimit: fc.constantFrom(null, 2),
  })
  .map((given) => aJob({ ...given, retention: { completedMs: 300, failedMs: 600, canceledMs: 100 } }));

const anOutcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.constant<Outcome>({ verb: 'complete', result: '"done"' }),
  fc.constant<Outcome>({ verb: 'fail', error: ERROR }),
  fc.constant<Outcome>({ verb: 'release' }),
  aDelay.map((delayMs): Outcome => ({ verb: 'retry', delayMs, error: ERROR })),
);

const aFilter: fc.Arbitrary<JobFilter> = fc.record(
  {
    name: fc.constantFrom(...NAMES),
    status: fc.constantFrom(...JOB_STATUSES),
    owner: fc.constant('ann'),
    errorCode: fc.constant(ERROR.code),
  },
  { requiredKeys: [] },
);

/** Runs one verb on the store and the model, and compares the replies. */
function step(title: string, verb: (on: Sides) => Promise<{ expected: unknown; actual: unknown }>): Step {
  return {
    check: () => true,
    toString: () => title,
    run: async (model, real) => {
      const { expected, actual } = await verb({ model, real });
      assert.deepEqual(actual, expected, title);
      await compareStates(model, real);
    },
  };
}

interface Sides {
  readonly model: JobStoreModel;
  readonly real: StoreUnderTest;
}

async function compareStates(model: JobStoreModel, { store }: StoreUnderTest): Promise<void> {
  assert.deepEqual(await store.find(IDS), model.find(IDS));
  const stats = await store.stats();
  assert.deepEqual(inOrder(stats.map((entry) => ({ ...entry, bytes: null }))), inOrder(model.stats()));
  for (const { status, count, bytes } of stats) {
    assert.ok(
      isWaiting(status) ? isWithin(bytes ?? 0, count, 4_096 * count) : bytes === null,
      `${bytes} bytes in ${count} jobs`,
    );
  }
}

function isWithin(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}

function inOrder<T extends { name: string; status: string }>(items: readonly T[]): T[] {
  return items.toSorted((a, b) => `${a.name} ${a.status}`.localeCompare(`${b.name} ${b.status}`));
}

/** An earlier claim, by its position among all claims. Usually a recent one, often stale. */
const aClaim = fc.nat({ max: 6 });

function claimAt({ claims }: JobStoreModel, back: number): { id: string; name: string; fence: number } {
  return claims.at(-1 - back) ?? { id: IDS[0] as string, name: 'A', fence: 0 };
}

const STEPS: fc.Arbitrary<Step>[] = [
  fc.tuple(fc.array(aSubmission, { minLength: 1, maxLength: 3 }), fc.constantFrom(4, 100)).map(([jobs, queueLimit]) =>
    step(`submit ${jobs.map(({ id, name }) => `${name} ${id.at(-1)}`).join(', ')}`, async ({ model, real }) => ({
      expected: model.submit(jobs, { queueLimit }),
      actual: await real.store.submit(jobs, { queueLimit }),
    })),
  ),
  fc.tuple(fc.constantFrom(...NAMES), fc.integer({ min: 1, max: 3 })).map(([name, limit]) =>
    step(`claim ${limit} ${name}`, async ({ model, real }) => {
      const request = { worker: `w${limit}`, leaseMs: 100 * limit, limit, slots: new Map([[name, limit]]) };
      return { expected: model.claim(request), actual: await real.store.claim(request) };
    }),
  ),
  fc.tuple(aClaim, fc.boolean()).map(([back, reports]) =>
    step(`renew the claim ${back} back`, async ({ model, real }) => {
      const progress = reports ? { progress: { fraction: 0.5, message: null } } : {};
      const { id, fence } = claimAt(model, back);
      const renewals = [{ id, fence, leaseMs: 150, ...progress }];
      return { expected: model.renew(renewals), actual: await real.store.renew(renewals) };
    }),
  ),
  fc.tuple(aClaim, anOutcome).map(([back, outcome]) =>
    step(`${outcome.verb} the claim ${back} back`, async ({ model, real }) => {
      const settlements = [{ ...claimAt(model, back), ...outcome }];
      return { expected: model.settle(settlements), actual: await real.store.settle(settlements) };
    }),
  ),
  ids.map((some) =>
    step(`cancel ${some.length}`, async ({ model, real }) => ({
      expected: model.cancel(some),
      actual: await real.store.cancel(some),
    })),
  ),
  fc.tuple(ids, fc.constantFrom(undefined, 0, 100)).map(([some, runningForMs]) =>
    step(`rerun ${some.length} ${runningForMs ?? ''}`, async ({ model, real }) => ({
      expected: model.rerun(some, runningForMs),
      actual: await real.store.rerun(some, { runningForMs }),
    })),
  ),
  fc.integer({ min: 1, max: 3 }).map((limit) =>
    step(`recover ${limit}`, async ({ model, real }) => {
      // Jobs whose leases end together may be recovered in any order, so all are recovered at once and compared as a set.
      const all = { limit: 100, maxCrashes: limit };
      const byId = (a: Recovered, b: Recovered) => a.job.id.localeCompare(b.job.id);
      return { expected: model.recover(all).toSorted(byId), actual: (await real.store.recover(all)).toSorted(byId) };
    }),
  ),
  fc.constant(
    step('purge', async ({ model, real }) => ({
      expected: model.purge(100).toSorted(),
      actual: (await real.store.purge(100)).toSorted(),
    })),
  ),
  fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(null, 'ann')).map(([name, by]) =>
    step(`pause ${name}`, async ({ model, real }) => {
      model.pause(name, by);
      await real.store.pause([name], by);
      return { expected: model.paused, actual: await real.store.paused() };
    }),
  ),
  fc.constantFrom(...NAMES).map((name) =>
    step(`resume ${name}`, async ({ model, real }) => {
      model.resume(name);
      await real.store.resume([name]);
      return { expected: model.paused, actual: await real.store.paused() };
    }),
  ),
  fc.constantFrom(1, 49, 100, 250, 700).map((ms) =>
    step(`${ms} ms pass`, async ({ model, real }) => {
      model.now += ms;
      await real.advance(ms);
      return { expected: null, actual: null };
    }),
  ),
  aFilter.map((filter) =>
    step(`list ${JSON.stringify(filter)}`, async ({ model, real }) => {
      const listed: string[] = [];
      for (let cursor: string | null | undefined; cursor !== null;) {
        const page = await real.store.list(filter, { limit: 2, cursor });
        listed.push(...page.jobs.map(({ id }) => id));
        ({ cursor } = page);
      }
      const expected = model.list(filter);
      assertNewestFirst(listed, expected);
      return { expected: expected.map(({ id }) => id).toSorted(), actual: listed.toSorted() };
    }),
  ),
];

/** Asserts the order by the time of the last status change. Jobs with the same time may be in any order. */
function assertNewestFirst(listed: readonly string[], jobs: readonly JobRecord[]): void {
  const times = listed.map((id) => {
    const job = jobs.find((one) => one.id === id);
    return (job?.status === 'InProgress' ? job.startedAt : job?.lastUpdatedAt) ?? 0;
  });
  const newestFirst = times.toSorted((a, b) => b - a);
  assert.deepEqual(times, newestFirst, 'list is newest first');
}

/** The invariants of every sequence of steps, in addition to the equality with the model. */
function invariants({ jobs }: JobStoreModel): void {
  for (const { record } of jobs) {
    assert.equal(record.completedAt !== null, isTerminal(record.status), 'completedAt goes with a terminal status');
    assert.equal(record.worker !== null, record.status === 'InProgress', 'a worker holds just what is in progress');
    assert.ok(record.retryCount <= record.maxRetries + 100);
  }
}

/**
 * Compares a store with the model over many random sequences of steps, including time and stale fences.
 *
 * @throws with the shortest sequence that shows a difference
 */
export async function checkAgainstModel(
  create: () => Promise<StoreUnderTest>,
  numRuns = 1_000,
  agingMs?: number,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.commands(STEPS, { size: '+1' }), async (steps) => {
      const model = new JobStoreModel(agingMs);
      const real = await create();
      try {
        await fc.asyncModelRun(() => ({ model, real }), steps);
        invariants(model);
        assert.deepEqual((await real.store.audit?.()) ?? [], [], 'the audit finds nothing');
      } finally {
        await real.dispose();
      }
    }),
    { numRuns },
  );
}
