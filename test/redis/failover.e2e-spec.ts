import { type RedisServer, startRedisCluster, startRedisSentinel } from '@app/redis-server';
import type { RedisJobStoreOptions } from 'nestjs-async-endpoints/redis';
import { eventually } from 'nestjs-async-endpoints/testing';
import { toolWith } from '../cli/tool.js';
import { ready, Submitters } from '../stores/submitters.js';
import { figure, System } from './system.js';

/** What the key of all jobs begins with, by default. */
const JOBS = '{ae:0}:jobs';
const FAIL_OVER_MS = 30_000;
const NO_SENTINEL = 'No Sentinel can be reached, or none knows a master of this name';

/** What both kinds of Redis have in common. */
interface Replicated {
  readonly url: string;
  /** URLs of one server that show nothing, or a part. */
  readonly partial: readonly string[];
  /** URLs of the same kind at which nothing is, each with the reason that the boot gives. */
  readonly wrong: Readonly<Record<string, string>>;
  readonly options: RedisJobStoreOptions;
  master(): Promise<RedisServer>;
  failOver(): Promise<void>;
  stop(): Promise<void>;
}

const addressOf = ({ host, port }: { host: string; port: number }) => `${host}:${port}`;

const kinds: Record<string, () => Promise<Replicated>> = {
  'a cluster of 3 masters and 3 replicas': async () => {
    const cluster = await startRedisCluster({ replicas: 1 });
    return {
      url: `redis+cluster://${cluster.nodes.map(addressOf).join(',')}`,
      partial: cluster.nodes.slice(0, 3).map((node) => `redis://${addressOf(node)}`),
      wrong: { 'redis+cluster://127.0.0.1:1,127.0.0.1:2': 'No node of the cluster can be reached' },
      options: { cluster: { nodes: [...cluster.nodes] } },
      master: () => cluster.masterOf(JOBS),
      failOver: async () => cluster.failOver(await cluster.masterOf(JOBS)),
      stop: cluster.stop,
    };
  },
  'a master and a replica with 3 sentinels': async () => {
    const { sentinels, name, master, failOver, stop } = await startRedisSentinel();
    return {
      url: `redis+sentinel://${sentinels.map(addressOf).join(',')}/${name}`,
      partial: sentinels.map((sentinel) => `redis://${addressOf(sentinel)}`),
      wrong: {
        'redis+sentinel://127.0.0.1:1/mymaster': NO_SENTINEL,
        [`redis+sentinel://${sentinels.map(addressOf).join(',')}/unknown`]: NO_SENTINEL,
      },
      options: { redis: { sentinels: [...sentinels], name } },
      master,
      failOver,
      stop,
    };
  },
};

describe.each(Object.entries(kinds))('On %s', (kind, start) => {
  let redis: Replicated;
  let system: System;

  beforeAll(async () => {
    redis = await start();
    system = await System.on({ ...redis.options, commandTimeoutMs: 1_000 }, await redis.master());
  }, 90_000);

  afterAll(async () => {
    await system.store.close();
    await redis.stop();
  });

  /** A process that finds this Redis by the variables of its configuration. */
  const configured = (role: 'api' | 'worker') =>
    system.run(role, { ASYNC_ROLE: role, REDIS_URL: redis.url, ASYNC_REDIS_COMMAND_TIMEOUT_MS: '1000' });

  it('a failover under load, planned or by SIGKILL, loses only writes that were not replicated', async () => {
    const processes = await Promise.all([configured('api'), configured('worker'), configured('worker')]);
    const submitters = new Submitters(processes[0], 4);
    const lostBy: Record<string, number> = {};
    let settled = 0;
    for (const how of ['in order', 'by SIGKILL'] as const) {
      await submitters.more(100, 'accepted');
      const before = submitters.accepted.length;
      const master = await redis.master();
      const askedAt = performance.now();
      await (how === 'in order' ? redis.failOver() : master.crash());
      await eventually(async () => (await redis.master()).port !== master.port, FAIL_OVER_MS);
      const tookMs = Math.round(performance.now() - askedAt);
      const during = submitters.accepted.length;
      await submitters.more(100, 'accepted', FAIL_OVER_MS);
      await ready(processes, FAIL_OVER_MS);
      await system.until(submitters.accepted.slice(settled, before - 20), 'Completed', FAIL_OVER_MS);
      await system.until(submitters.accepted.slice(during + 20, during + 100), 'Completed', FAIL_OVER_MS);
      const unsure = submitters.accepted.slice(before - 20, during + 20);
      const lost = (await system.store.find(unsure)).filter((job) => job === null).length;
      lostBy[how] = lost;
      settled = submitters.accepted.length;
      figure(`${kind}, failover ${how}: a new master after ${tookMs} ms; ${lost} of ${before} acknowledged jobs lost`);
    }
    await submitters.stop();
    await eventually(async () => {
      const jobs = await system.store.find(submitters.accepted);
      return jobs.every((job) => job === null || job.status === 'Completed');
    }, FAIL_OVER_MS);
    expect(submitters.refused.filter(({ status }) => status !== 503)).toEqual([]);
    const { accepted, refused, longestMs } = submitters;
    figure(
      `${kind}: ${accepted.length} accepted, ${refused.length} refused, longest answer ${Math.round(longestMs)} ms`,
    );
    const twoLines = processes.map(
      ({ output }) => output.split('\n').filter((line) => /"level":"(warn|error)"/.test(line)).length,
    );
    figure(`${kind}: warnings and errors in the logs of API and workers: ${twoLines.join(', ')}`);
    await system.reset();
  }, 120_000);

  it('the command-line tool reads and changes every job with only the URL, also after failovers', async () => {
    const tool = toolWith({ REDIS_URL: redis.url });
    const ids = await system.submit('Tool', {}, 30);
    await system.store.cancel(ids.slice(0, 10));
    const rerun = await tool('rerun', '--name', 'Tool', '--status', 'Canceled', '--yes');
    expect(rerun).toMatchObject({ code: 0, stdout: '10 jobs queued again.\n' });
    expect((await system.jobs(ids)).map(({ status }) => status)).toEqual(ids.map(() => 'Queued'));
    const listed = JSON.parse((await tool('list', '--name', 'Tool', '--all', '--json')).stdout) as { id: string }[];
    expect(listed.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(await tool('audit')).toMatchObject({ code: 0 });
    const refusal = /^async-endpoints: Redis cannot be used: It is a (node of a cluster|Sentinel); connect with/;
    for (const { code, stdout, stderr } of await Promise.all(
      redis.partial.map((url) => toolWith({ REDIS_URL: url })('stats')),
    )) {
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(refusal);
    }
    await system.reset();
  }, 60_000);

  it('a boot with a wrong address ends with its reason', async () => {
    for (const [url, reason] of Object.entries(redis.wrong)) {
      const lost = system.spawn('worker', {
        REDIS_URL: url,
        LOG_FORMAT: 'text',
        ASYNC_REDIS_COMMAND_TIMEOUT_MS: '2000',
      });
      expect([url, await lost.exitCode()]).toEqual([url, 1]);
      expect(lost.output.trimEnd().split('\n').at(-1)).toBe(`Redis cannot be used: ${reason}`);
    }
  }, 60_000);
});
