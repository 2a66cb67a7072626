import assert from 'node:assert/strict';
import { type Claim, isWaiting, type JobRecord, type JobStatus } from '../../job/job.js';
import type { JobFilter, JobStore, QueueStats } from '../../store/job-store.js';
import { aJob } from '../a-job.js';
import { claimOne, claimSome, created, running, type Subject } from './subject.js';
import type { TestFramework } from './test-framework.js';

async function listAll(store: JobStore, filter: JobFilter, limit = 3): Promise<JobRecord[]> {
  const jobs: JobRecord[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.list(filter, { limit, cursor });
    assert.ok(page.jobs.length <= limit);
    jobs.push(...page.jobs);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return jobs;
}

function ids(jobs: readonly { id: string }[]): string[] {
  return jobs.map(({ id }) => id).toSorted();
}

export function describeListing(subject: Subject, { describe, it }: TestFramework): void {
  describe('list', () => {
    it('lists every job exactly once over all pages', async () => {
      const { store } = subject;
      const jobs = Array.from({ length: 20 }, (_, n) => aJob({ name: `Name${n % 3}`, delayMs: n % 2 ? 1_000 : 0 }));
      await store.submit(jobs, { queueLimit: 100 });
      await claimSome(store, { limit: 2, slots: new Map([['Name0', 2]]) });
      assert.deepEqual(ids(await listAll(store, {})), ids(jobs));
    });

    it('filters by name, status and owner, together', async () => {
      const { store } = subject;
      const wanted = await created(store, { owner: 'ann', delayMs: 1_000 });
      await created(store, { owner: 'ann' });
      await created(store, { owner: 'bob', delayMs: 1_000 });
      await created(store, { owner: 'ann', name: 'Other', delayMs: 1_000 });
      const filter = { name: 'Work', status: 'Scheduled', owner: 'ann' } as const;
      assert.deepEqual(await listAll(store, filter, 1), [wanted]);
    });

    it('filters by the error code, also of an attempt that will be retried', async () => {
      const { store } = subject;
      const end = async (verb: 'fail' | 'retry', code: string) => {
        const { job, fence } = await running(store);
        const settlement = { id: job.id, name: 'Work', fence, error: { code, message: 'no' } };
        await store.settle([verb === 'fail' ? { ...settlement, verb } : { ...settlement, verb, delayMs: 60_000 }]);
        return job.id;
      };
      const wanted = [await end('fail', 'DOWN'), await end('retry', 'DOWN')];
      await end('fail', 'OTHER');
      await created(store);
      assert.deepEqual(ids(await listAll(store, { errorCode: 'DOWN' }, 1)), wanted.toSorted());
      assert.deepEqual(ids(await listAll(store, { errorCode: 'DOWN', status: 'Failed' })), wanted.slice(0, 1));
    });

    it('finds jobs that have been in progress for a long time', async () => {
      const { store, advance } = subject;
      const old = await running(store);
      await advance(500);
      await running(store);
      const stuck = await listAll(store, { status: 'InProgress', runningForMs: 500 });
      assert.deepEqual(ids(stuck), [old.job.id]);
    });

    it('continues after jobs of the last page have changed or were purged', async () => {
      const { store } = subject;
      const jobs = Array.from({ length: 10 }, () => aJob());
      await store.submit(jobs, { queueLimit: 100 });
      const first = await store.list({ status: 'Queued' }, { limit: 4 });
      await store.cancel(first.jobs.map(({ id }) => id));
      const seen = [...first.jobs];
      for (let { cursor } = first; cursor !== null;) {
        const page = await store.list({ status: 'Queued' }, { limit: 4, cursor });
        seen.push(...page.jobs);
        ({ cursor } = page);
      }
      assert.deepEqual(ids(seen), ids(jobs));
    });

    it('lists one name and status newest first: by submission, by claim and by completion', async () => {
      const { store, advance } = subject;
      const submitted: string[] = [];
      for (let n = 0; n < 5; n++) {
        submitted.push((await created(store)).id);
        await advance(1);
      }
      const newest = async (status: JobStatus) =>
        (await listAll(store, { name: 'Work', status }, 2)).map(({ id }) => id);
      assert.deepEqual(await newest('Queued'), submitted.toReversed());
      const claims: Claim[] = [];
      for (let n = 0; n < 5; n++) {
        claims.push(await claimOne(store));
        await advance(1);
      }
      assert.deepEqual(await newest('InProgress'), submitted.toReversed());
      for (const { job, fence } of claims) {
        await store.settle([{ id: job.id, name: 'Work', fence, verb: 'complete', result: '1' }]);
        await advance(1);
      }
      assert.deepEqual(await newest('Completed'), submitted.toReversed());
    });

    it('lists all names and statuses together, ordered by the latest change of status', async () => {
      const { store, advance } = subject;
      const submitted: string[] = [];
      for (const name of ['Work', 'Other', 'Work', 'Other']) {
        submitted.push((await created(store, { name })).id);
        await advance(1);
      }
      const [first, second, third, fourth] = submitted as [string, string, string, string];
      await store.cancel([second]);
      await advance(1);
      await claimOne(store);
      const listed = (await listAll(store, {}, 1)).map(({ id }) => id);
      assert.deepEqual(listed, [first, second, fourth, third]);
    });

    it('returns all matches on one page, among thousands of newer jobs', async () => {
      const { store } = subject;
      const { job, fence } = await running(store, { name: 'Work', owner: 'ann' });
      const error = { code: 'DOWN', message: 'no' };
      await store.settle([{ id: job.id, name: 'Work', fence, verb: 'fail', error }]);
      const others = Array.from({ length: 3_000 }, (_, n) =>
        aJob({ name: `Name${n % 3}`, owner: n % 2 ? 'bob' : null }),
      );
      await store.submit(others, { queueLimit: 10_000 });
      const filters: JobFilter[] = [{ name: 'Work' }, { status: 'Failed' }, { owner: 'ann' }, { errorCode: 'DOWN' }];
      for (const filter of [...filters, Object.assign({}, ...filters) as JobFilter]) {
        const page = await store.list(filter, { limit: 10 });
        assert.deepEqual([page.jobs.map(({ id }) => id), page.cursor], [[job.id], null]);
      }
    });

    it('returns an empty last page for an empty store', async () => {
      assert.deepEqual(await subject.store.list({}, { limit: 5 }), { jobs: [], cursor: null });
    });
  });

  describe('stats', () => {
    it('returns the number of jobs and the age of the oldest, by name and status', async () => {
      const { store, advance } = subject;
      await created(store);
      await advance(400);
      await created(store);
      await created(store, { name: 'Other', delayMs: 60_000 });
      await advance(100);
      const stats = (await withoutBytes(store)).toSorted((a, b) => a.name.localeCompare(b.name));
      assert.deepEqual(stats, [
        { name: 'Other', status: 'Scheduled', count: 1, oldestAgeMs: 0, isPaused: false },
        { name: 'Work', status: 'Queued', count: 2, oldestAgeMs: 500, isPaused: false },
      ]);
    });

    it('returns the age of running and overdue jobs, and none for terminal jobs', async () => {
      const { store, advance } = subject;
      await created(store, { name: 'Other', delayMs: 100 });
      const { id } = await created(store, { name: 'Third' });
      await store.cancel([id]);
      await running(store);
      await advance(300);
      const stats = (await withoutBytes(store)).toSorted((a, b) => a.name.localeCompare(b.name));
      assert.deepEqual(stats, [
        { name: 'Other', status: 'Scheduled', count: 1, oldestAgeMs: 200, isPaused: false },
        { name: 'Third', status: 'Canceled', count: 1, oldestAgeMs: null, isPaused: false },
        { name: 'Work', status: 'InProgress', count: 1, oldestAgeMs: 300, isPaused: false },
      ]);
    });

    it('follows a job through its life', async () => {
      const { store } = subject;
      const statuses = async () => (await store.stats()).map(({ status, count }) => `${status} ${count}`);
      await created(store);
      assert.deepEqual(await statuses(), ['Queued 1']);
      const { job, fence } = await claimOne(store);
      assert.deepEqual(await statuses(), ['InProgress 1']);
      await store.settle([
        { id: job.id, name: 'Work', fence, verb: 'retry', delayMs: 100, error: { code: 'E', message: 'm' } },
      ]);
      assert.deepEqual(await statuses(), ['Scheduled 1']);
      await store.cancel([job.id]);
      assert.deepEqual(await statuses(), ['Canceled 1']);
    });
  });

  describe('find', () => {
    it('returns jobs in the order of the ids, and null for unknown ones', async () => {
      const { store } = subject;
      const [one, two] = [await created(store), await created(store)];
      assert.deepEqual(await store.find([two.id, aJob().id, one.id]), [two, null, one]);
    });

    it('returns only jobs of the given owners', async () => {
      const { store } = subject;
      const [anns, bobs] = [await created(store, { owner: 'ann' }), await created(store, { owner: 'bob' })];
      const [nobodys, anna] = [await created(store), await created(store, { owner: 'anna' })];
      const all = [anns, bobs, nobodys, anna].map(({ id }) => id);
      const ofAll = async (...owners: (string | null)[]) => store.find(all, owners);
      assert.deepEqual(await ofAll('ann', 'bob', null, 'anna'), [anns, bobs, nobodys, anna]);
      assert.deepEqual(await ofAll('ann', 'ann', 'ann', 'ann'), [anns, null, null, null]);
      assert.deepEqual(await ofAll(null, null, null, null), [null, null, nobodys, null]);
      assert.deepEqual(await ofAll('', '', '', ''), [null, null, null, null]);
      assert.deepEqual(await store.find([aJob().id, anns.id], ['ann', 'ann']), [null, anns]);
    });

    it("returns the current record of an owner's job in any status", async () => {
      const { store, advance } = subject;
      const { job, fence } = await running(store, { owner: 'ann' });
      assert.deepEqual(await store.find([job.id, job.id], ['ann', 'bob']), [job, null]);
      await advance(10);
      await store.settle([{ id: job.id, name: 'Work', fence, verb: 'complete', result: '"done"' }]);
      const [found, hidden] = await store.find([job.id, job.id], ['ann', 'bob']);
      assert.deepEqual([found?.status, found?.result, hidden], ['Completed', '"done"', null]);
    });

    it('finds ten thousand at once', async () => {
      const { store } = subject;
      const { id } = await created(store);
      const found = await store.find([...Array.from({ length: 9_999 }, () => aJob().id), id]);
      assert.equal(found.length, 10_000);
      assert.equal(found.at(-1)?.id, id);
      assert.equal(found[0], null);
    });

    it('returns records that callers cannot change', async () => {
      const { store } = subject;
      const { id } = await created(store);
      const [found] = await store.find([id]);
      try {
        (found as { status: string }).status = 'Failed';
      } catch {
        // a frozen record throws, a copy does not
      }
      assert.equal((await store.find([id]))[0]?.status, 'Queued');
    });
  });
}

/** The statistics without `bytes`, after checking that exactly the waiting jobs have them. Their number depends on the store. */
async function withoutBytes(store: JobStore): Promise<Omit<QueueStats, 'bytes'>[]> {
  return (await store.stats()).map(({ bytes, ...entry }) => {
    assert.equal(bytes !== null, isWaiting(entry.status));
    return entry;
  });
}
