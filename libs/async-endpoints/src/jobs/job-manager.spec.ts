import { subscribe } from '../events/channels.js';
import { defineJob } from '../job/define-job.js';
import { MemoryJobStore } from '../stores/memory/memory-job-store.js';
import { jobManagerOf } from './job-manager.testing.js';

class CountingStore extends MemoryJobStore {
  readonly sizes: number[] = [];

  override find(...args: Parameters<MemoryJobStore['find']>) {
    this.sizes.push(args[0].length);
    return super.find(...args);
  }
}

/** As a store of an application may be that was written before owners were asked for. */
class UnknowingStore extends MemoryJobStore {
  override find(ids: readonly string[]) {
    return super.find(ids);
  }
}

describe('JobManager.findOwned', () => {
  it('reads the store once for concurrent calls of several owners', async () => {
    const store = new CountingStore();
    const jobs = jobManagerOf(store);
    const owners = ['ann', 'bob', null];
    const submitted = await Promise.all(owners.map((owner) => jobs.submit('Work', null, { owner })));
    const ofEach = async (id: string) => {
      const found = await Promise.all(owners.map((owner) => jobs.findOwned(id, owner)));
      return found.map((job) => job !== null);
    };
    expect(await Promise.all(submitted.map(({ id }) => ofEach(id)))).toEqual([
      [true, false, false],
      [false, true, false],
      [false, false, true],
    ]);
    expect(store.sizes).toEqual([9]);
  });

  it('returns null for an invalid id', async () => {
    expect(await jobManagerOf(new MemoryJobStore()).findOwned('nonsense', 'ann')).toBeNull();
  });

  it('shows no job to another owner when the store ignores owners', async () => {
    const jobs = jobManagerOf(new UnknowingStore());
    const { id } = await jobs.submit('Work', null, { owner: 'ann' });
    expect(await jobs.findOwned(id, 'bob')).toBeNull();
    expect(await jobs.findOwned(id, null)).toBeNull();
    expect(await jobs.findOwned(id, 'ann')).toMatchObject({ id });
  });
});

describe('JobManager.pause', () => {
  it('accepts one or several names or definitions, and logs who paused them', async () => {
    const store = new MemoryJobStore();
    const jobs = jobManagerOf(store);
    const told: unknown[] = [];
    onTestFinished(subscribe(store, { paused: (change) => told.push(change) }));
    await jobs.pause(defineJob<null>('Mail'), { by: 'ann' });
    await jobs.pause(['Report', defineJob<null>('Import')]);
    expect((await jobs.paused()).map(({ name, pausedBy }) => [name, pausedBy])).toEqual([
      ['Import', null],
      ['Mail', 'ann'],
      ['Report', null],
    ]);
    await jobs.resume(['Mail', 'Report', 'Import'], { by: 'bob' });
    expect(await jobs.paused()).toEqual([]);
    expect(told).toEqual([
      { store, verb: 'pause', names: ['Mail'], by: 'ann' },
      { store, verb: 'pause', names: ['Report', 'Import'], by: null },
      { store, verb: 'resume', names: ['Mail', 'Report', 'Import'], by: 'bob' },
    ]);
  });

  it.each([
    ['no name', []],
    ['an empty name', ['']],
    ['too many names', Array.from({ length: 1_001 }, (_, n) => `Job${n}`)],
    ['what is no text', [7 as unknown as string]],
  ])('refuses %s', async (_, names) => {
    const jobs = jobManagerOf(new MemoryJobStore());
    await expect(jobs.pause(names)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    await expect(jobs.resume(names)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    await expect(jobs.pause('Mail', { by: '' })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });
});

describe('A job whose stored result is not JSON', () => {
  it('fails find with an error that does not quote it, and does not prevent listing the others', async () => {
    const store = new MemoryJobStore();
    const jobs = jobManagerOf(store);
    const [spoilt, whole] = [await jobs.submit('Work', null), await jobs.submit('Work', null)];
    const claims = await store.claim({ worker: 'w', leaseMs: 60_000, limit: 2, slots: new Map([['Work', 2]]) });
    await store.settle(
      claims.map(({ job: { id, name }, fence }) => {
        return { verb: 'complete', id, name, fence, result: id === spoilt.id ? 'a secret' : '"text"' };
      }),
    );
    await expect(jobs.find(spoilt.id)).rejects.toThrow(`The stored result of job ${spoilt.id} cannot be read`);
    expect(await jobs.find(spoilt.id).catch(String)).not.toContain('secret');
    expect((await jobs.list()).jobs.map(({ id }) => id)).toEqual([whole.id]);
  });
});
