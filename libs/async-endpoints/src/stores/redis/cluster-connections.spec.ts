import { randomUUID } from 'node:crypto';
import { type RedisCluster, startRedisCluster } from '@app/redis-server';
import { Cluster, Redis } from 'ioredis';
import { STORE_NOTICE, type StoreNotice } from '../../events/channels.js';
import { eventually } from '../../testing/index.js';
import { RedisKeys } from './keys.js';
import { RedisJobStore } from './redis-job-store.js';
import { works } from './whole-life.testing.js';

describe('RedisJobStore connects to a cluster', () => {
  let cluster: RedisCluster;

  beforeAll(async () => {
    cluster = await startRedisCluster();
  }, 60_000);

  afterAll(() => cluster.stop());

  const onEveryNode = async (...command: [string, ...string[]]) => {
    for (const { port } of cluster.nodes) {
      const node = new Redis(port);
      await node.call(...command);
      node.disconnect();
    }
  };

  it('by some of its nodes, as an ACL user with a password, on all three connections', async () => {
    await onEveryNode('ACL', 'SETUSER', 'jobs', 'on', '>secret', '~*', '&*', '+@all');
    const [node] = cluster.nodes as [RedisCluster['nodes'][number]];
    const as = (password: string) => ({ redisOptions: { username: 'jobs', password } });
    await works({ cluster: { nodes: [node], options: as('secret') } });
    await works({ cluster: { nodes: [...cluster.nodes], options: as('secret') }, partitions: 3 });
    const wrong = { ...as('wrong'), clusterRetryStrategy: () => null };
    await expect(works({ cluster: { nodes: [node], options: wrong } })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
  });

  it('by a cluster URL, and refuses a URL of a single server on every node', async () => {
    const nodes = cluster.nodes.map(({ host, port }) => `${host}:${port}`);
    await onEveryNode('ACL', 'SETUSER', 'jobs', 'on', '>secret', '~*', '&*', '+@all');
    await works({ url: `redis+cluster://jobs:secret@${nodes.join(',')}`, partitions: 3 });
    await works({ url: `redis+cluster://jobs@${nodes[0]}`, redis: { password: 'secret' } });
    const message = expect.stringContaining('It is a node of a cluster; connect with a URL such as') as string;
    for (const node of nodes) {
      await expect(works({ url: `redis://${node}` })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message });
    }
  });

  it('on a client of the application, which it leaves open', async () => {
    const client = new Cluster([...cluster.nodes]);
    await works({ client, partitions: 3 });
    expect(await client.ping()).toBe('PONG');
    client.disconnect();
  });

  it('and warns once about each setting of its masters', async () => {
    const { port } = cluster.nodes[2] as { port: number };
    const last = new Redis(port);
    await last.config('SET', 'maxmemory', '100mb', 'maxmemory-policy', 'allkeys-lru');
    const heard: string[] = [];
    const hear = (notice: unknown) => void heard.push((notice as StoreNotice).message);
    STORE_NOTICE.subscribe(hear);
    await works({ cluster: { nodes: [...cluster.nodes] } });
    STORE_NOTICE.unsubscribe(hear);
    expect(heard.toSorted()).toEqual([
      expect.stringContaining('Redis keeps nothing on disk'),
      expect.stringContaining('Redis may evict jobs'),
    ]);
    last.disconnect();
  });

  it('and does not report it as available while the master of a partition is not', async () => {
    const prefix = randomUUID();
    const store = new RedisJobStore({ cluster: { nodes: [...cluster.nodes] }, prefix, commandTimeoutMs: 1_000 });
    await store.open();
    await store.ping();
    const master = await cluster.masterOf(new RedisKeys(prefix, 0).jobs);
    await master.crash();
    await eventually(() =>
      store.ping().then(
        () => false,
        () => true,
      ),
    );
    for (let n = 0; n < 10; n++) await expect(store.ping()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await master.restart();
    await eventually(() => store.ping().then(() => true), 20_000);
    await store.close();
  }, 40_000);
});
