import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { aJob } from '../a-job.js';
import { claimOne, claimSome, created, find, running, type Subject, submitOne } from './subject.js';
import type { TestFramework } from './test-framework.js';

export function describeSubmit(subject: Subject, { describe, it }: TestFramework): void {
  describe('submit', () => {
    it('inserts a job that can be found at once', async () => {
      const { store } = subject;
      const job = await created(store, { name: 'Work', owner: 'ann', priority: 7, maxRetries: 5 });
      assert.deepEqual(await find(store, job.id), job);
      assert.equal(job.status, 'Queued');
      assert.equal(job.owner, 'ann');
      assert.equal(job.priority, 7);
      assert.equal(job.maxRetries, 5);
      assert.equal(job.retryCount, 0);
      assert.equal(job.createdAt, job.lastUpdatedAt);
      assert.deepEqual(job.retention, aJob().retention);
    });

    it('returns the payload unchanged in the claim, whatever its text', async () => {
      const { store } = subject;
      const payload = JSON.stringify({ request: '\u0000 \u2028 "\\" 😀 null', __proto__: null });
      await created(store, { payload });
      assert.equal((await claimOne(store)).payload, payload);
    });

    it('returns a reply for each job of a batch, in order', async () => {
      const { store } = subject;
      const twin = aJob();
      const answers = await store.submit([aJob(), twin, twin, aJob()], { queueLimit: 100 });
      assert.deepEqual(
        answers.map(({ outcome }) => outcome),
        ['created', 'created', 'conflict', 'created'],
      );
    });

    it('schedules a delayed job, which is claimable at its scheduledAt and not before', async () => {
      const { store, advance } = subject;
      const job = await created(store, { delayMs: 5_000 });
      assert.equal(job.status, 'Scheduled');
      assert.equal(job.scheduledAt, job.createdAt + 5_000);
      await advance(4_000);
      assert.deepEqual(await claimSome(store), []);
      await advance(1_000);
      assert.equal((await claimOne(store)).job.id, job.id);
    });

    it('returns the known job for a repeat with the same id, and inserts nothing', async () => {
      const { store } = subject;
      const asked = { id: randomUUID(), owner: 'ann', fingerprint: 'same' };
      const first = await created(store, asked);
      const again = await submitOne(store, { ...asked, payload: '{"request":"ignored"}' });
      assert.deepEqual(again, { outcome: 'existing', job: first });
      await claimOne(store);
      assert.deepEqual(await claimSome(store), []);
    });

    it('returns the current state for a repeat, and does not disturb the running job', async () => {
      const { store } = subject;
      const claim = await running(store, { fingerprint: 'same' });
      const again = await submitOne(store, { id: claim.job.id, fingerprint: 'same' });
      assert.equal(again.outcome === 'existing' && again.job.status, 'InProgress');
      assert.deepEqual(
        await store.settle([{ id: claim.job.id, name: 'Work', fence: claim.fence, verb: 'complete', result: '1' }]),
        [true],
      );
    });

    for (const [what, other] of [
      ['fingerprint', { fingerprint: 'other' }],
      ['job name', { name: 'Other' }],
      ['owner', { owner: 'bob' }],
    ] as const) {
      it(`refuses a known id with another ${what}`, async () => {
        const { store } = subject;
        const asked = { id: randomUUID(), owner: 'ann', fingerprint: 'same' };
        await created(store, asked);
        assert.deepEqual(await submitOne(store, { ...asked, ...other }), { outcome: 'conflict', on: 'id' });
      });
    }

    it('refuses the id of a job that was submitted without a fingerprint', async () => {
      const { store } = subject;
      const { id } = await created(store);
      assert.deepEqual(await submitOne(store, { id }), { outcome: 'conflict', on: 'id' });
    });

    it('creates one job from a hundred concurrent submissions with one id', async () => {
      const { store } = subject;
      const asked = { id: randomUUID(), fingerprint: 'same' };
      const answers = await Promise.all(Array.from({ length: 100 }, () => submitOne(store, asked)));
      assert.equal(answers.filter(({ outcome }) => outcome === 'created').length, 1);
      assert.equal(answers.filter(({ outcome }) => outcome === 'existing').length, 99);
    });
  });

  describe('submit with an idempotency key', () => {
    const keyed = { fingerprint: 'same', idempotency: { key: 'k', retentionMs: 10_000 } };

    it('returns the known job, whatever the id', async () => {
      const { store } = subject;
      const first = await created(store, keyed);
      assert.deepEqual(await submitOne(store, keyed), { outcome: 'existing', job: first });
    });

    it('refuses another request under the same key', async () => {
      const { store } = subject;
      await created(store, keyed);
      assert.deepEqual(await submitOne(store, { ...keyed, fingerprint: 'other' }), { outcome: 'conflict', on: 'key' });
    });

    it('keeps the keys of different owners and job names apart', async () => {
      const { store } = subject;
      await created(store, keyed);
      await created(store, { ...keyed, owner: 'ann' });
      await created(store, { ...keyed, owner: '' });
      await created(store, { ...keyed, name: 'Other' });
    });

    it('creates one job from a hundred concurrent submissions with one key', async () => {
      const { store } = subject;
      const answers = await Promise.all(Array.from({ length: 100 }, () => submitOne(store, keyed)));
      assert.equal(answers.filter(({ outcome }) => outcome === 'created').length, 1);
    });

    it('forgets a key after its own retention, although the job still exists', async () => {
      const { store, advance } = subject;
      const first = await created(store, keyed);
      await advance(10_000);
      const second = await created(store, keyed);
      assert.notEqual(second.id, first.id);
      assert.equal((await find(store, first.id)).status, 'Queued');
    });
  });

  describe('submit with a key whose job was purged', () => {
    const retention = { completedMs: 100, failedMs: 100, canceledMs: 100 };
    const keyed = { fingerprint: 'same', idempotency: { key: 'k', retentionMs: 10_000 } };

    /** Submits a job with the key, lets the store purge the job, and returns its id. */
    async function purged(): Promise<string> {
      const { store, advance } = subject;
      const { id } = await created(store, { ...keyed, retention });
      await store.cancel([id]);
      await advance(100);
      await store.purge(10);
      return id;
    }

    it('still finds another job with the id', async () => {
      const { store } = subject;
      await purged();
      const other = await created(store);
      assert.deepEqual(await submitOne(store, { ...keyed, id: other.id }), { outcome: 'conflict', on: 'id' });
      assert.deepEqual(await find(store, other.id), other);
    });

    it('finds a later job that has the id of the purged one', async () => {
      const { store } = subject;
      const later = await created(store, { id: await purged(), fingerprint: 'same' });
      assert.deepEqual(await submitOne(store, keyed), { outcome: 'existing', job: later });
    });

    it('decides in the order of a batch whether a job has the id of the purged one yet', async () => {
      const { store } = subject;
      const id = await purged();
      const batch = [aJob({ name: 'Work', ...keyed }), aJob({ id, name: 'Work' })];
      const submissions = await store.submit(batch, { queueLimit: 10 });
      assert.deepEqual(
        submissions.map(({ outcome }) => outcome),
        ['created', 'created'],
      );
    });
  });
}
