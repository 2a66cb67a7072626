import type { Redis } from 'ioredis';
import { firstValueFrom, NEVER, ReplaySubject, skip } from 'rxjs';
import type { Job } from '../../job/job.js';
import { FollowedJobs } from '../../jobs/follow.js';
import { aJob } from '../../testing/index.js';
import type { RedisJobStore } from './redis-job-store.js';
import { redisStoreTest } from './redis-store.testing.js';

const CHECK_MS = 30_000;

describe('A subscriber of a job, when Redis has lost its data', () => {
  const on = redisStoreTest();
  let client: Redis;
  let store: RedisJobStore;
  let watches: FollowedJobs;
  let prefix: string;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    ({ client, store, prefix } = on);
    watches = new FollowedJobs(store, async (id) => (await store.find([id]))[0] ?? null);
  });

  afterEach(() => void vi.useRealTimers());

  const submitted = async () => {
    const job = aJob();
    await store.submit([job], { queueLimit: 10 });
    return job.id;
  };
  const claimed = async () => {
    const [claim] = await store.claim({ worker: 'w', leaseMs: 60_000, limit: 1, slots: new Map([['Work', 1]]) });
    return { id: claim?.job.id as string, name: 'Work', fence: claim?.fence as number };
  };
  const progress = async (held: { id: string; fence: number }, fraction: number) => {
    on.now += 10;
    await store.renew([{ ...held, leaseMs: 60_000, progress: { fraction, message: null } }]);
  };

  /** Everything that Redis holds, to be put back later. */
  const backup = async () => {
    const keys = await client.keys(`{${prefix}:*`);
    const dumps = await Promise.all(keys.map((key) => client.dumpBuffer(key)));
    return async () => {
      await client.flushall();
      await Promise.all(keys.map((key, n) => client.restore(key, 0, dumps[n] as Buffer)));
    };
  };
  const cutListeners = () => client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');

  /** What a follower is told, one after the other. */
  const followed = (id: string) => {
    const told = new ReplaySubject<Job>();
    watches.follow(id, NEVER).subscribe(told);
    let seen = 0;
    return () => firstValueFrom(told.pipe(skip(seen++)));
  };

  it('is notified that the job does not exist, although no message announced it', async () => {
    const waiting = watches.waitFor(await submitted(), { timeoutMs: 60_000 });
    const outcome = waiting.catch((error: unknown) => error);
    await vi.waitFor(async () => expect(await client.pubsub('CHANNELS', `${prefix}*`)).not.toEqual([]));
    await client.flushall();
    await vi.advanceTimersByTimeAsync(CHECK_MS);
    expect(await outcome).toMatchObject({ code: 'JOB_NOT_FOUND' });
  });

  it('is notified that the job does not exist as soon as it has reconnected', async () => {
    const waiting = watches.waitFor(await submitted(), { timeoutMs: 60_000 });
    const outcome = waiting.catch((error: unknown) => error);
    await vi.waitFor(async () => expect(await client.pubsub('CHANNELS', `${prefix}*`)).not.toEqual([]));
    await client.flushall();
    await cutListeners();
    expect(await outcome).toMatchObject({ code: 'JOB_NOT_FOUND' });
  });

  it('follows a job that was reset to an older state, even when versions repeat', async () => {
    const id = await submitted();
    const held = await claimed();
    const restore = await backup();
    const next = followed(id);
    expect(await next()).toMatchObject({ version: 2 });
    await progress(held, 0.1);
    expect(await next()).toMatchObject({ version: 3, progress: { fraction: 0.1 } });
    await restore();
    await progress(held, 0.2);
    expect(await next()).toMatchObject({ version: 3, progress: { fraction: 0.2 } });
    await restore();
    await cutListeners();
    expect(await next()).toMatchObject({ version: 2, progress: null });
    await store.settle([{ ...held, verb: 'complete', result: '1' }]);
    expect(await next()).toMatchObject({ version: 3, status: 'Completed' });
  });
});
