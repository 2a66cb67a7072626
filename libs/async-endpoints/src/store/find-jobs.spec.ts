import { AsyncEndpointsError } from '../job/errors.js';
import { aJob } from '../testing/index.js';
import { findJobs } from './find-jobs.js';
import { MemoryJobStore } from './memory/memory-job-store.js';

/** A store of which one job cannot be read, and what it was asked for. */
async function aStore(failure: (ids: readonly string[]) => void) {
  const calls: (readonly string[])[] = [];
  class Failing extends MemoryJobStore {
    override find(ids: readonly string[]) {
      calls.push(ids);
      failure(ids);
      return super.find(ids);
    }
  }
  const store = new Failing();
  const jobs = [aJob(), aJob()];
  await store.submit(jobs, { queueLimit: 10 });
  return { store, calls, ids: jobs.map(({ id }) => id) };
}

describe('Jobs that are read in one call', () => {
  it('are read for themselves where one cannot be', async () => {
    let spoilt = '';
    const { store, ids } = await aStore((some) => {
      if (some.includes(spoilt)) throw new SyntaxError('no JSON');
    });
    spoilt = ids[0] as string;
    const [first, second, unknown] = await findJobs(store, [...ids, 'none']);
    await expect(first).rejects.toThrow('no JSON');
    expect(await second).toMatchObject({ id: ids[1] });
    expect(await unknown).toBeNull();
  });

  it('fail together where the store cannot be reached, and are not asked for again', async () => {
    const { store, ids, calls } = await aStore(() => {
      throw new AsyncEndpointsError('STORE_UNAVAILABLE');
    });
    await expect(findJobs(store, ids)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(calls).toEqual([ids]);
  });
});
