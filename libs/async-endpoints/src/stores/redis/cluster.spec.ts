import { randomUUID } from 'node:crypto';
import { type RedisCluster, startRedisCluster } from '@app/redis-server';
import { Cluster } from 'ioredis';
import { describeJobStore } from '../../testing/contract/index.js';
import { checkHostileStrings } from '../../testing/hostile-strings.properties.js';
import { type AccessOptions, accessRules } from './access.js';
import { RedisJobStore } from './redis-job-store.js';

let cluster: RedisCluster;
let admin: Cluster;
/** Of a user that may run what `accessRules` names; on keys and channels of any prefix, for each test has one of its own. */
let client: Cluster;

const anywhere = (options: AccessOptions) =>
  accessRules(options).map((rule) => rule.replace(/^~.*/, '~*').replace(/^&.*/, '&*'));
const allow = (rules: readonly string[]) =>
  Promise.all(admin.nodes('master').map((node) => node.call('ACL', 'SETUSER', 'jobs', 'on', '>secret', ...rules)));

beforeAll(async () => {
  cluster = await startRedisCluster();
  admin = new Cluster([...cluster.nodes]);
  await admin.cluster('INFO');
  await allow(anywhere({}));
  client = new Cluster([...cluster.nodes], { redisOptions: { username: 'jobs', password: 'secret' } });
}, 60_000);

afterAll(async () => {
  for (const one of [client, admin]) one.disconnect();
  await cluster.stop();
});

// Each test has a prefix of its own, and so a slot of its own, on any of the three masters.
const create = (partitions: number) => async () => {
  let now = 1_000_000;
  const store = new RedisJobStore({ client, prefix: randomUUID(), partitions, now: () => now });
  await store.open();
  const dispose = async () => {
    await allow(anywhere({ audit: true }));
    expect(await store.audit()).toEqual([]);
    await allow(anywhere({}));
    await store.close();
  };
  return { store, advance: (ms: number) => void (now += ms), dispose };
};

describeJobStore('RedisJobStore on a cluster', create(1));

describe('RedisJobStore on a cluster, given any text', () => {
  it.each([1, 3])('returns every text unchanged, in %s partitions', (n) => checkHostileStrings(create(n), 20), 60_000);
});

describe('RedisJobStore.resources() on a cluster', () => {
  it('returns the memory of the fullest server', async () => {
    const { store, dispose } = await create(3)();
    const [first, ...others] = admin.nodes('master');
    await first!.config('SET', 'maxmemory', '50mb');
    for (const other of others) await other.config('SET', 'maxmemory', '500mb');
    expect((await store.resources()).memory?.limit).toBe(50 * 1024 * 1024);
    await first!.config('SET', 'maxmemory', '0');
    expect((await store.resources()).memory?.limit).toBe(500 * 1024 * 1024);
    for (const other of others) await other.config('SET', 'maxmemory', '0');
    await dispose();
  });
});
