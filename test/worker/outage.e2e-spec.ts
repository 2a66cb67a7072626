import { type RedisCluster, type RedisServer, startRedisCluster, startRedisServer } from '@app/redis-server';
import { JOB_CHANNELS, type JobEvent, type JobStore, MemoryJobStore } from 'nestjs-async-endpoints';
import { RedisJobStore } from 'nestjs-async-endpoints/redis';
import { unreliable } from 'nestjs-async-endpoints/testing';
import { figure } from '../redis/system.js';
import { hasStatus, startWorker, type StartedWorker } from './start-worker.js';

const LEASE_MS = 300;
const OPTIONS = {
  worker: { leaseMs: LEASE_MS, pollingIntervalMs: 20, maxConcurrency: 2 },
  recovery: { sweepIntervalMs: 20 },
  jobs: { defaultMaxRetries: 0 },
};

/** A store that goes away and comes back; every worker has a way of its own to it. */
interface Outage {
  open(): Promise<JobStore>;
  begin(): Promise<void> | void;
  end(): Promise<void> | void;
}

function ofMemory(): Outage {
  const cut = unreliable(new MemoryJobStore());
  return { open: async () => cut.store, begin: () => cut.fail(), end: () => cut.mend() };
}

function ofRedis(server: RedisServer): Outage {
  return {
    open: async () => new RedisJobStore({ url: server.url, redis: { retryStrategy: () => 20 } }),
    begin: () => server.crash(),
    end: () => server.restart(),
  };
}

/** Of a cluster, the master that has the jobs. */
async function ofCluster(cluster: RedisCluster): Promise<Outage> {
  const master = await cluster.masterOf('{ae:0}:jobs');
  const url = `redis+cluster://${cluster.nodes.map(({ host, port }) => `${host}:${port}`).join(',')}`;
  return {
    open: async () => new RedisJobStore({ url, redis: { retryStrategy: () => 20 } }),
    begin: () => master.crash(),
    end: () => master.restart(),
  };
}

describe('While the store is unreachable for four leases', () => {
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always'];
  let server: RedisServer;
  let cluster: RedisCluster;

  beforeAll(async () => {
    [server, cluster] = await Promise.all([startRedisServer(durable), startRedisCluster({ args: durable })]);
  });

  afterAll(() => Promise.all([server.stop(), cluster.stop()]));

  it.each([
    ['memory', () => ofMemory()],
    ['Redis', () => ofRedis(server)],
    ['a cluster of Redis', () => ofCluster(cluster)],
  ])('runs continue and outcomes are kept, without another run or a crash (%s)', async (store, outageOf) => {
    const outage = await outageOf();
    const workers: StartedWorker[] = [];
    for (let n = 0; n < 2; n++) workers.push(await startWorker({ ...OPTIONS, store: await outage.open() }));
    const [one, two] = workers as [StartedWorker, StartedWorker];
    const lost: string[] = [];
    const note = (event: unknown) => void lost.push((event as JobEvent).job.id);
    for (const verb of ['lose', 'recover'] as const) JOB_CHANNELS[verb].subscribe(note);
    try {
      const ids = [];
      for (let n = 0; n < 4; n++) ids.push(await one.submit({ do: 'stay' }));
      const runs = [];
      for (const { handler } of [one, two]) runs.push(await handler.nextRun(), await handler.nextRun());

      await outage.begin();
      runs[0]?.leave.open('ended while the store was away');
      runs[2]?.leave.open('ended while the store was away');
      // The length of the outage is what is tested: leases must run out in it.
      await new Promise((resolve) => setTimeout(resolve, 4 * LEASE_MS));
      for (const { context } of runs) expect(context.signal.aborted).toBe(false);
      await outage.end();

      for (const run of [runs[0], runs[2]]) await hasStatus(one.jobs, run?.context.id as string, 'Completed');
      runs[1]?.leave.open('ended afterwards');
      runs[3]?.leave.open('ended afterwards');
      for (const id of ids) {
        const job = await hasStatus(one.jobs, id, 'Completed');
        expect(job).toMatchObject({ crashes: 0, retryCount: 0, fence: 1, result: expect.stringContaining('ended') });
      }
      expect([...one.handler.runs, ...two.handler.runs]).toHaveLength(4);
      expect(lost).toEqual([]);
      figure(
        `${store} away for ${4 * LEASE_MS} ms, 4 leases: 4 jobs running on 2 workers, 0 reruns, 0 crashes, 0 results lost`,
      );
    } finally {
      for (const verb of ['lose', 'recover'] as const) JOB_CHANNELS[verb].unsubscribe(note);
    }
  });

  it('a worker claims only as many jobs as it can keep outcomes of', async () => {
    const cut = unreliable(new MemoryJobStore());
    const { submit, handler, worker, jobs } = await startWorker({ ...OPTIONS, store: cut.store });
    const first = [await submit({ do: 'stay' }), await submit({ do: 'stay' })];
    const runs = [await handler.nextRun(), await handler.nextRun()];
    cut.fail({ verbs: ['settle'] });
    for (const { leave } of runs) leave.open('held');
    const later = [];
    for (let n = 0; n < 6; n++) later.push(await submit({ do: 'return' }));
    for (let n = 0; n < 2; n++) await handler.nextRun();
    expect(worker.running).toBeLessThanOrEqual(2);
    await jobs.depth(); // a turn in which a claim could have been made
    expect(handler.runs).toHaveLength(4);
    cut.mend();
    for (const id of [...first, ...later]) await hasStatus(jobs, id, 'Completed');
  });

  it('a worker with a blocked event loop renews its own claims before it sweeps', async () => {
    const { submit, handler, reached } = await startWorker(OPTIONS);
    const id = await submit({ do: 'stay' });
    const { leave } = await handler.nextRun();
    const until = performance.now() + 2 * LEASE_MS;
    while (performance.now() < until);
    // Two sweeps and more: the run must still be there.
    await new Promise((resolve) => setTimeout(resolve, LEASE_MS));
    leave.open('once');
    expect(await reached(id, 'Completed')).toMatchObject({ crashes: 0, fence: 1, result: 'once' });
    expect(handler.runs).toHaveLength(1);
  });
});

describe('A settlement that the store refuses', () => {
  it('fails its job, and delays neither others nor the shutdown', async () => {
    const store = new (class extends MemoryJobStore {
      override settle(settlements: Parameters<MemoryJobStore['settle']>[0]) {
        if (settlements.some((one) => one.verb === 'complete' && one.result === '"poison"')) throw new TypeError('no');
        return super.settle(settlements);
      }
    })();
    const { submit, reached } = await startWorker({ store });
    const [poison, plain] = [await submit({ do: 'return', value: 'poison' }), await submit({ do: 'return' })];
    await reached(plain, 'Completed');
    expect(await reached(poison, 'Failed')).toMatchObject({ error: { code: 'INTERNAL_ERROR' } });
  });

  it('does not include one with an endless delay: the job waits, and others settle', async () => {
    const { submit, reached } = await startWorker();
    const odd = await submit({ do: 'retry', afterMs: 1e300 });
    await reached(await submit({ do: 'return' }), 'Completed');
    const { scheduledAt, lastUpdatedAt } = await reached(odd, 'Scheduled');
    expect(scheduledAt - lastUpdatedAt).toBe(10 * 365 * 86_400_000);
  });
});
