import { Agent, get, type IncomingMessage, type Server } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { eventually } from 'nestjs-async-endpoints/testing';
import { figure } from '../redis/system.js';
import { ACCEPTING } from './reports.js';
import { ADAPTERS, type RunningApp, startApp } from './start-app.js';
import { redisServer, storesOf } from './stacks.js';
import { watched, type WatchedStore } from './watched-store.js';

/** Half streams of events, half long polls. `WAITERS=5000` for the figure of P14. */
const WAITERS = Number(process.env.WAITERS ?? 1_000);
const JOBS = 100;
/** For thousands of connections on a busy machine. */
const PATIENCE_MS = 60_000;

describe.each(ADAPTERS)(`${WAITERS} waiting clients of one process (P14), on %s and Redis`, (adapter) => {
  it(
    'cost one subscription and no polling, and all get their response when their jobs end',
    { timeout: 120_000 },
    async () => {
      const { url } = await redisServer();
      const redis = new Redis(url);
      onTestFinished(() => redis.disconnect());
      const before = await connections(redis);
      const store = watched((await storesOf(`${adapter} and Redis`)).replica());
      const app = await startApp(adapter, {
        ...ACCEPTING,
        options: { role: 'api', store, http: { maxWaitMs: 600_000 } },
      });
      const ids = await Promise.all(
        Array.from({ length: JOBS }, async (_, n) => (await app.jobs.submit('Report', { n })).id),
      );
      const agent = new Agent({ maxSockets: WAITERS });
      onTestFinished(() => agent.destroy());
      let arrived = 0;
      (app.nest.getHttpServer() as Server).on('request', () => arrived++);
      const path = (n: number) => (n % 2 ? `/jobs/${ids[n % JOBS]}` : `/jobs/${ids[n % JOBS]}/events`);
      const answers = Array.from({ length: WAITERS }, (_, n) => textOf(app, path(n), agent));
      await eventually(() => arrived === WAITERS, PATIENCE_MS);
      await eventually(async () => store.watching === JOBS && (await isQuiet(store)), PATIENCE_MS);

      const commands = await commandsSoFar(redis);
      const reads = store.reads;
      await app.get(`/jobs/${ids[0]}`);
      const [subscribers, all] = [await connections(redis, 'pubsub'), await connections(redis)];
      const asked = difference(await commandsSoFar(redis), commands);
      figure(`${WAITERS} waiters, ${adapter}: ${all - before} connections, ${subscribers} of them subscribed`);
      figure(`commands meanwhile: ${[...asked].map(([name, count]) => `${name} ${count}`).join(', ')}`);
      expect(subscribers).toBe(1);
      expect(all - before).toBeLessThanOrEqual(3);
      // One status read by this test, and what the test itself asks Redis.
      expect(store.reads).toBe(reads + 1);
      expect(asked.get('evalsha') ?? 0).toBe(1);
      expect([...asked.keys()].filter((name) => !['evalsha', 'hmget', 'info', 'client|list'].includes(name))).toEqual(
        [],
      );

      await Promise.all(ids.map((id) => app.jobs.cancel(id)));
      const texts = await Promise.all(answers);
      expect(texts.filter((text) => text.includes('"status":"Canceled"'))).toHaveLength(WAITERS);
      await eventually(() => store.watching === 0, PATIENCE_MS);
      expect(store.begun).toBe(JOBS);
    },
  );
});

function textOf(app: RunningApp, path: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: app.port, path, agent, headers: { Prefer: 'wait=600' } };
    const receive = async (response: IncomingMessage) => {
      let text = '';
      for await (const part of response.setEncoding('utf8')) text += part;
      resolve(text);
    };
    get(options, (response) => void receive(response).catch(reject)).on('error', reject);
  });
}

/** Whether none reads, nor has been answered, nor goes on to read: what a request does next it does within a turn. */
async function isQuiet(store: WatchedStore): Promise<boolean> {
  const { reads } = store;
  for (let turn = 0; turn < 10; turn++) {
    await store.ping();
    await setImmediate();
    if (store.reading > 0 || store.reads !== reads) return false;
  }
  return true;
}

async function connections(redis: Redis, type = 'normal'): Promise<number> {
  const list = async (of: string) =>
    String(await redis.call('CLIENT', 'LIST', 'TYPE', of))
      .split('\n')
      .filter(Boolean).length;
  return type === 'normal' ? (await list('normal')) + (await list('pubsub')) : list(type);
}

async function commandsSoFar(redis: Redis): Promise<Map<string, number>> {
  const stats = await redis.info('commandstats');
  return new Map(
    [...stats.matchAll(/cmdstat_([^:]+):calls=(\d+)/g)].map(([, name = '', calls]) => [name, Number(calls)]),
  );
}

function difference(after: Map<string, number>, before: Map<string, number>): Map<string, number> {
  const grown = [...after].map(([name, calls]): [string, number] => [name, calls - (before.get(name) ?? 0)]);
  return new Map(grown.filter(([, calls]) => calls > 0));
}
