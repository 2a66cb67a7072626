import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Submission } from '../../store/job-store.js';
import { aJob } from '../a-job.js';
import { claimOne, claimSome, created, type Subject, submitOne, waitingBytes } from './subject.js';
import type { TestFramework } from './test-framework.js';

export function describeQueueLimits(subject: Subject, { describe, it }: TestFramework): void {
  describe('submit with a limit', () => {
    it('refuses jobs above the queue limit of all names', async () => {
      const { store } = subject;
      const answers = await store.submit([aJob(), aJob({ name: 'Other', delayMs: 1_000 }), aJob()], { queueLimit: 2 });
      assert.deepEqual(answers[2], { outcome: 'refused', limit: 'total' });
      await claimOne(store);
      assert.equal((await submitOne(store, {}, { queueLimit: 2 })).outcome, 'created');
    });

    it('refuses jobs above the queue limit of their name', async () => {
      const { store } = subject;
      await created(store, { queueLimit: 1 });
      assert.deepEqual(await submitOne(store, { queueLimit: 1 }), { outcome: 'refused', limit: 'name' });
      assert.equal((await submitOne(store, { name: 'Other', queueLimit: 1 })).outcome, 'created');
    });

    it('returns the known job for a repeat although the queue is full', async () => {
      const { store } = subject;
      const asked = { id: randomUUID(), fingerprint: 'same' };
      await created(store, asked);
      assert.equal((await submitOne(store, asked, { queueLimit: 1 })).outcome, 'existing');
    });

    it('keeps the limit under concurrent submissions', async () => {
      const { store } = subject;
      const answers = await Promise.all(Array.from({ length: 50 }, () => submitOne(store, {}, { queueLimit: 10 })));
      assert.equal(answers.filter(({ outcome }) => outcome === 'created').length, 10);
    });
  });

  describe('submit with a limit of bytes', () => {
    const large = { payload: JSON.stringify({ request: 'x'.repeat(20_000) }) };
    const limits = { queueLimit: 100, queueBytes: 50_000 };
    const outcomes = (answers: readonly Submission[]) => answers.map(({ outcome }) => outcome);

    it('refuses every job when the waiting jobs of all names, scheduled ones included, take the limit of bytes', async () => {
      const { store } = subject;
      const jobs = [aJob(large), aJob({ ...large, name: 'Other', delayMs: 1_000 }), aJob(large), aJob()];
      const answers = await store.submit(jobs, limits);
      assert.deepEqual(outcomes(answers), ['created', 'created', 'created', 'refused']);
      assert.deepEqual(answers[3], { outcome: 'refused', limit: 'total' });
      await claimOne(store);
      assert.equal((await submitOne(store, large, limits)).outcome, 'created');
      assert.equal((await submitOne(store, {}, limits)).outcome, 'refused');
    });

    it('refuses the jobs of a name when its waiting jobs take its limit of bytes', async () => {
      const { store } = subject;
      const own = { ...large, queueBytes: 30_000 };
      const jobs = [aJob(own), aJob(own), aJob(own), aJob({ ...own, name: 'Other' }), aJob(own)];
      const answers = await store.submit(jobs, limits);
      assert.deepEqual(outcomes(answers), ['created', 'created', 'refused', 'created', 'refused']);
      assert.deepEqual(answers[2], { outcome: 'refused', limit: 'name' });
      assert.deepEqual(answers[4], { outcome: 'refused', limit: 'total' });
    });

    it('accepts one job larger than the limit when no job waits', async () => {
      const { store } = subject;
      const small = { queueLimit: 100, queueBytes: 1_000 };
      assert.equal((await submitOne(store, large, small)).outcome, 'created');
      assert.equal((await submitOne(store, {}, small)).outcome, 'refused');
    });

    it('returns the known job for a repeat although the limit of bytes is reached', async () => {
      const { store } = subject;
      const asked = { id: randomUUID(), fingerprint: 'same' };
      await created(store, asked);
      assert.equal((await submitOne(store, asked, { queueLimit: 100, queueBytes: 1 })).outcome, 'existing');
    });

    it('exceeds the limit by less than one job under concurrent submissions', async () => {
      const { store } = subject;
      const answers = await Promise.all(Array.from({ length: 50 }, () => submitOne(store, large, limits)));
      const bytes = await waitingBytes(store);
      const each = bytes / answers.filter(({ outcome }) => outcome === 'created').length;
      assert.ok(bytes >= limits.queueBytes && bytes - each < limits.queueBytes, `${bytes} bytes wait`);
    });

    it('counts the bytes of waiting jobs exactly through their whole life', async () => {
      const { store, advance } = subject;
      const [first] = [await created(store, large), await created(store, { ...large, delayMs: 1_000 })];
      const bytes = await waitingBytes(store);
      assert.ok(bytes >= 40_000 && bytes < 45_000, `${bytes} bytes wait`);
      await store.cancel([first.id]);
      assert.ok((await waitingBytes(store)) < bytes - 20_000);
      await store.rerun([first.id]);
      await advance(1_000);
      const [one, two] = await claimSome(store, { limit: 2 });
      assert.equal(await waitingBytes(store), 0);
      const error = { code: 'E', message: 'm'.repeat(1_000) };
      await store.settle([
        { id: one?.job.id as string, name: 'Work', fence: one?.fence as number, verb: 'retry', delayMs: 1_000, error },
      ]);
      const retried = await waitingBytes(store);
      assert.ok(retried > bytes / 2 && retried < 25_000, `${retried} bytes wait`);
      await advance(1_000);
      await store.recover({ limit: 10, maxCrashes: 3 });
      assert.ok((await waitingBytes(store)) > 40_000);
      const again = await claimSome(store, { limit: 2 });
      assert.deepEqual([again.length, await waitingBytes(store)], [2, 0]);
      assert.ok(two);
    });
  });
}
