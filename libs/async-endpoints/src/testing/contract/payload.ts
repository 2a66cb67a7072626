import assert from 'node:assert/strict';
import { aJob } from '../a-job.js';
import { created, find, running, type Subject } from './subject.js';
import type { TestFramework } from './test-framework.js';

export function describePayload(subject: Subject, { describe, it }: TestFramework): void {
  describe('payload', () => {
    const payload = JSON.stringify({ request: { text: 'line\n\u0000\ud800 "quoted"' } });

    it('gives what the handler is given, until the job completes', async () => {
      const { store } = subject;
      if (!store.payload) return;
      const { job, fence } = await running(store, { payload });
      assert.deepEqual(JSON.parse((await store.payload(job.id)) as string), JSON.parse(payload));
      await store.settle([{ id: job.id, name: 'Work', fence, verb: 'complete', result: '1' }]);
      assert.equal((await find(store, job.id)).status, 'Completed');
      assert.equal(await store.payload(job.id), null);
    });

    it('gives that of a canceled job, and null for what nobody knows', async () => {
      const { store } = subject;
      if (!store.payload) return;
      const { id } = await created(store, { payload });
      await store.cancel([id]);
      assert.deepEqual(JSON.parse((await store.payload(id)) as string), JSON.parse(payload));
      assert.equal(await store.payload(aJob().id), null);
    });
  });
}
