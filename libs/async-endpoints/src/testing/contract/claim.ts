import assert from 'node:assert/strict';
import { aJob } from '../a-job.js';
import { claimOne, claimSome, created, find, running, type Subject } from './subject.js';
import type { TestFramework } from './test-framework.js';

export function describeClaim(subject: Subject, { describe, it }: TestFramework): void {
  describe('claim', () => {
    it('returns nothing for an empty queue', async () => {
      assert.deepEqual(await claimSome(subject.store), []);
    });

    it('gives a job to one worker, with a lease', async () => {
      const { store } = subject;
      await created(store);
      const { job, fence } = await claimOne(store, { worker: 'w', leaseMs: 2_000 });
      assert.equal(job.status, 'InProgress');
      assert.equal(job.worker, 'w');
      assert.equal(job.fence, fence);
      assert.equal(job.startedAt, job.lastUpdatedAt);
      assert.equal(job.leaseUntil, job.lastUpdatedAt + 2_000);
      assert.deepEqual(await find(store, job.id), job);
    });

    it('claims only jobs of the given names', async () => {
      const { store } = subject;
      await created(store, { name: 'Unknown here' });
      assert.deepEqual(await claimSome(store, { limit: 10 }), []);
    });

    it('claims at most the limit, and at most the slots of each name', async () => {
      const { store } = subject;
      await store.submit(
        [1, 2, 3, 4, 5].map(() => aJob()),
        { queueLimit: 10 },
      );
      assert.equal((await claimSome(store, { limit: 2 })).length, 2);
      assert.equal((await claimSome(store, { limit: 10, slots: new Map([['Work', 1]]) })).length, 1);
      assert.equal((await claimSome(store, { limit: 10 })).length, 2);
    });

    it('claims larger priorities first, then earlier submissions', async () => {
      const { store, advance } = subject;
      const ids: string[] = [];
      for (const priority of [0, 5, -100, 5, 100]) {
        ids.push((await created(store, { priority })).id);
        await advance(1);
      }
      const claims = await claimSome(store, { limit: 10 });
      assert.deepEqual(
        claims.map(({ job }) => ids.indexOf(job.id)),
        [4, 1, 3, 0, 2],
      );
    });

    it('claims a job first once it has waited one minute for each step of priority, and not earlier', async () => {
      const { store, advance } = subject;
      const [line, low] = [await created(store), await created(store, { priority: -1 })];
      await advance(4 * 60_000 - 1);
      const high = await created(store, { priority: 4 });
      await advance(1);
      const higher = await created(store, { priority: 4 });
      const last = await created(store);
      const claims = await claimSome(store, { limit: 10 });
      assert.deepEqual(
        claims.map(({ job }) => job.id),
        [high, higher, line, low, last].map(({ id }) => id),
      );
    });

    it('lets no job wait forever behind new jobs of larger priority', async () => {
      const { store, advance } = subject;
      const low = await created(store, { priority: -5 });
      const claimed: string[] = [];
      for (let minutes = 0; minutes < 24; minutes++) {
        await created(store, { priority: 5 });
        await created(store, { priority: 5 });
        claimed.push((await claimOne(store)).job.id);
        await advance(60_000);
      }
      assert.ok(claimed.includes(low.id));
    });

    it('keeps the order of submission within one batch', async () => {
      const { store } = subject;
      const jobs = Array.from({ length: 20 }, () => aJob());
      await store.submit(jobs, { queueLimit: 100 });
      const claims = await claimSome(store, { limit: 20 });
      assert.deepEqual(
        claims.map(({ job }) => job.id),
        jobs.map(({ id }) => id),
      );
    });

    it('lets names take turns, so that the backlog of one name does not starve another', async () => {
      const { store } = subject;
      await store.submit(
        Array.from({ length: 50 }, () => aJob({ name: 'Many' })),
        { queueLimit: 100 },
      );
      await created(store, { name: 'Few' });
      const slots = new Map([
        ['Many', 100],
        ['Few', 100],
      ]);
      const names: string[] = [];
      for (let claimed = 0; claimed < 2; claimed++) names.push((await claimOne(store, { slots })).job.name);
      assert.deepEqual(names.toSorted(), ['Few', 'Many']);
    });

    it('gives no job to two workers that claim concurrently', async () => {
      const { store } = subject;
      await store.submit(
        Array.from({ length: 50 }, () => aJob()),
        { queueLimit: 100 },
      );
      const asked = Array.from({ length: 30 }, (_, n) => claimSome(store, { worker: `w${n}`, limit: 2 }));
      const ids = (await Promise.all(asked)).flat().map(({ job }) => job.id);
      assert.equal(ids.length, 50);
      assert.equal(new Set(ids).size, 50);
    });

    it('gives each claim of a job a larger fence', async () => {
      const { store } = subject;
      const first = await running(store);
      await store.settle([{ id: first.job.id, name: 'Work', fence: first.fence, verb: 'release' }]);
      const second = await claimOne(store);
      assert.ok(second.fence > first.fence);
    });
  });

  describe('renew', () => {
    it('keeps a claim valid beyond its first lease', async () => {
      const { store, advance } = subject;
      const { job, fence } = await running(store);
      await advance(900);
      assert.deepEqual(await store.renew([{ id: job.id, fence, leaseMs: 1_000 }]), ['held']);
      await advance(900);
      assert.deepEqual(await store.recover({ limit: 10, maxCrashes: 3 }), []);
    });

    it('writes progress with a new version; a renewal without progress does not change the version', async () => {
      const { store } = subject;
      const { job, fence } = await running(store);
      await store.renew([{ id: job.id, fence, leaseMs: 1_000 }]);
      assert.equal((await find(store, job.id)).version, job.version);
      const progress = { fraction: 0.5, message: 'half "way"' };
      await store.renew([{ id: job.id, fence, leaseMs: 1_000, progress }]);
      const seen = await find(store, job.id);
      assert.deepEqual(seen.progress, progress);
      assert.equal(seen.version, job.version + 1);
    });

    it('returns lost for a claim that another worker has taken over, and does not write its progress', async () => {
      const { store, advance } = subject;
      const lost = await running(store);
      await advance(1_000);
      await store.recover({ limit: 10, maxCrashes: 3 });
      const held = await claimOne(store);
      const progress = { fraction: 1, message: 'stale' };
      const renewals = [
        { id: lost.job.id, fence: lost.fence, leaseMs: 1_000, progress },
        { id: held.job.id, fence: held.fence, leaseMs: 1_000 },
      ];
      assert.deepEqual(await store.renew(renewals), ['lost', 'held']);
      assert.equal((await find(store, lost.job.id)).progress, null);
    });

    it('returns lost for a job that is terminal or does not exist', async () => {
      const { store } = subject;
      const { job, fence } = await running(store);
      await store.settle([{ id: job.id, name: 'Work', fence, verb: 'complete', result: null }]);
      assert.deepEqual(
        await store.renew([
          { id: job.id, fence, leaseMs: 1_000 },
          { id: aJob().id, fence: 1, leaseMs: 1_000 },
        ]),
        ['lost', 'lost'],
      );
    });
  });
}
