import { startRedisServer } from '@app/redis-server';
import { RedisJobStore } from 'nestjs-async-endpoints/redis';
import { eventually } from 'nestjs-async-endpoints/testing';
import { refused } from './answer.js';
import { EventStream } from './event-stream.js';
import { ACCEPTING } from './reports.js';
import { startApp } from './start-app.js';
import { watched } from './watched-store.js';

describe('A job that Redis lost with all its data', () => {
  it('ends waits and streams with 404 as soon as Redis is back', async () => {
    const redis = await startRedisServer();
    onTestFinished(() => redis.stop());
    const store = watched(new RedisJobStore({ url: redis.url, redis: { retryStrategy: () => 20 } }));
    const http = { maxWaitMs: 600_000 };
    const app = await startApp('Express', { ...ACCEPTING, options: { role: 'api', store, http } });
    const { job } = await app.post('/reports', { title: 'Bees' });
    const stream = await EventStream.open(app, job.links.events);
    expect((await stream.nextJob())?.job.status).toBe('Queued');
    const reads = store.reads;
    const waiting = app.get(job.links.self, { Prefer: 'wait=600' });
    // Found, then followed.
    await eventually(() => store.reads === reads + 2 && store.reading === 0);

    await redis.crash();
    await redis.restart();
    expect(await stream.next()).toBeNull();
    expect((await waiting).refusal).toEqual(refused(404, 'JOB_NOT_FOUND'));
  });
});
