import { randomUUID } from 'node:crypto';
import { type RedisServer, startRedisServer } from '@app/redis-server';
import { Redis } from 'ioredis';
import type { Claim } from '../../job/job.js';
import { aJob, aWorkerInfo, eventually } from '../../testing/index.js';
import { Loop } from '../../worker/loop.js';
import { recoveryLoop } from '../../worker/recovery.js';
import { RedisKeys } from './keys.js';
import { RedisJobStore } from './redis-job-store.js';

const LEASE_MS = 400;
const SWEEP_MS = 100;

/** What of a worker process talks to the store while its jobs run. */
async function aWorker(url: string, prefix: string, workerId: string) {
  const store = new RedisJobStore({ url, prefix, redis: { retryStrategy: () => 20 } });
  await store.open();
  const recovery = { enabled: true, sweepIntervalMs: SWEEP_MS, maxCrashes: 1, batchSize: 10, leaseMs: LEASE_MS };
  const claims: Claim[] = [];
  const renew = async () => {
    await store.renew(claims.map(({ job, fence }) => ({ id: job.id, fence, leaseMs: LEASE_MS })));
  };
  const sweeps = recoveryLoop(
    store,
    recovery,
    { renew: async () => {}, describe: () => aWorkerInfo({ id: workerId }) },
    () => {},
  );
  const heartbeat = new Loop(renew, { intervalMs: LEASE_MS / 3, onError: () => {} });
  heartbeat.start();
  sweeps.start();
  return {
    store,
    async claim(): Promise<Claim> {
      const slots = new Map([['Work', 1]]);
      claims.push(...(await store.claim({ worker: workerId, leaseMs: LEASE_MS, limit: 1, slots })));
      return claims.at(-1) as Claim;
    },
    /** As when its process is killed, but for the connections. */
    vanish: () => Promise.all([sweeps.stop(), heartbeat.stop()]),
  };
}

describe('While Redis is unreachable for four leases', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await startRedisServer(['--appendonly', 'yes', '--appendfsync', 'always']);
  });

  afterAll(() => server.stop());

  it('no job runs again and no crash is counted, except those of a worker that died meanwhile', async () => {
    const prefix = randomUUID();
    const [lives, dies] = [await aWorker(server.url, prefix, 'lives'), await aWorker(server.url, prefix, 'dies')];
    const jobs = [aJob(), aJob(), aJob()];
    await lives.store.submit(jobs, { queueLimit: 10 });
    const [long, finished, left] = [await lives.claim(), await lives.claim(), await dies.claim()];
    const client = new Redis(server.url);
    await eventually(() => client.hexists(new RedisKeys(prefix, 0).counters, 'clock'));
    client.disconnect();
    await server.crash();
    await dies.vanish();
    // The outage itself: what is tested is how long it takes.
    await new Promise((resolve) => setTimeout(resolve, 4 * LEASE_MS));
    await server.restart();
    const settlement = { id: finished.job.id, name: 'Work', fence: finished.fence, verb: 'complete' } as const;
    const held = () => lives.store.settle([{ ...settlement, result: '1' }]);
    await eventually(async () => (await held().catch(() => [false]))[0]);
    const [queued] = await eventually(async () => {
      const found = await lives.store.find([left.job.id]);
      return found[0]?.status === 'Queued' ? found : undefined;
    });
    expect(queued).toMatchObject({ crashes: 0, fence: left.fence + 1 });
    expect(await lives.store.find([long.job.id, finished.job.id])).toMatchObject([
      { status: 'InProgress', crashes: 0, fence: long.fence },
      { status: 'Completed', crashes: 0, fence: finished.fence },
    ]);
    await lives.vanish();
    await eventually(async () => (await lives.store.recover({ limit: 1, maxCrashes: 1 })).length === 1);
    expect(await lives.store.audit()).toEqual([]);
    await Promise.all([lives.store.close(), dies.store.close()]);
  });
});
