import { randomUUID } from 'node:crypto';
import { type RedisCluster, startRedisCluster } from '@app/redis-server';
import { Cluster } from 'ioredis';
import { describeJobStore } from '../testing/index.js';
import { RedisJobStore } from './redis-job-store.js';

let cluster: RedisCluster;
let client: Cluster;

beforeAll(async () => {
  cluster = await startRedisCluster();
  client = new Cluster([...cluster.nodes]);
}, 60_000);

afterAll(async () => {
  client.disconnect();
  await cluster.stop();
});

// Each test has a prefix of its own, and so a slot of its own, on any of the three masters (D-14).
describeJobStore('RedisJobStore on a cluster', async () => {
  let now = 1_000_000;
  const store = new RedisJobStore({ client, prefix: randomUUID(), now: () => now });
  await store.open();
  const dispose = async () => {
    expect(await store.audit()).toEqual([]);
    await store.close();
  };
  return { store, advance: (ms) => void (now += ms), dispose };
});
