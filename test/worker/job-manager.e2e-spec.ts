import { randomUUID } from 'node:crypto';
import { startRedisServer } from '@app/redis-server';
import { type AsyncEndpointsError, MemoryJobStore } from 'nestjs-async-endpoints';
import { RedisJobStore } from 'nestjs-async-endpoints/redis';
import { eventually, Scripted } from 'nestjs-async-endpoints/testing';
import { lastValueFrom, tap } from 'rxjs';
import { onTestFinished } from 'vitest';
import { startWorker } from './start-worker.js';

const stay = { do: 'stay' } as const;

async function codeOf(failing: Promise<unknown>): Promise<string> {
  return failing.then(
    () => 'no error',
    (error: AsyncEndpointsError) => error.code,
  );
}

describe('JobManager', () => {
  it('creates one job for repeated submissions with one id', async () => {
    const { jobs } = await startWorker({ role: 'api' });
    const id = randomUUID();
    const first = await jobs.submit(Scripted, stay, { id: id.toUpperCase() });
    const again = await jobs.submit(Scripted, stay, { id });
    expect([first.id, first.replayed, again.replayed]).toEqual([id, false, true]);
    expect(await codeOf(jobs.submit(Scripted, { do: 'return' }, { id }))).toBe('REQUEST_ID_CONFLICT');
    expect(await jobs.depth()).toBe(1);
  });

  it('creates one job for one idempotency key, within its owner and job name', async () => {
    const { jobs } = await startWorker({ role: 'api' });
    const keyed = { idempotencyKey: 'order-7', owner: 'ann' };
    const first = await jobs.submit(Scripted, stay, keyed);
    expect(await jobs.submit(Scripted, stay, keyed)).toMatchObject({ id: first.id, replayed: true });
    expect(await codeOf(jobs.submit(Scripted, { do: 'return' }, keyed))).toBe('IDEMPOTENCY_KEY_REUSED');
    const other = await jobs.submit(Scripted, stay, { ...keyed, owner: 'bob' });
    expect(other.id).not.toBe(first.id);
  });

  it('keeps a job as long as its idempotency key', async () => {
    const { jobs } = await startWorker({ role: 'api', jobs: { retention: { completedMs: 1 } } });
    const { retention } = await jobs.submit(Scripted, stay, { idempotencyKey: 'k' });
    expect(retention.completedMs).toBe(86_400_000);
  });

  it.each([
    [{ id: 'no uuid' }, 'INVALID_JOB_ID'],
    [{ id: '00000000-0000-0000-0000-000000000000' }, 'INVALID_JOB_ID'],
    [{ priority: 101 }, 'INVALID_OPTION'],
    [{ maxRetries: -1 }, 'INVALID_OPTION'],
    [{ delayMs: Number.NaN }, 'INVALID_OPTION'],
    [{ scheduledAt: new Date('nonsense') }, 'INVALID_OPTION'],
  ])('refuses to submit with %j', async (options, code) => {
    const { jobs } = await startWorker({ role: 'api' });
    expect(await codeOf(jobs.submit(Scripted, stay, options))).toBe(code);
    expect(await jobs.depth()).toBe(0);
  });

  it('refuses a payload that is not JSON or too large, and a submission to a full queue', async () => {
    const { jobs } = await startWorker({ role: 'api', jobs: { maxPayloadBytes: 200, maxQueueSize: 1 } });
    expect(await codeOf(jobs.submit('Any', { big: 1n }))).toBe('PAYLOAD_NOT_SERIALIZABLE');
    expect(await codeOf(jobs.submit('Any', 'x'.repeat(200)))).toBe('PAYLOAD_TOO_LARGE');
    await jobs.submit('Any', 'fits');
    expect(await codeOf(jobs.submit('Any', 'one too many'))).toBe('QUEUE_FULL');
  });

  it('waits for the end of a job, up to the timeout', async () => {
    const { jobs, submit, handler } = await startWorker();
    const id = await submit(stay);
    const { leave } = await handler.nextRun();
    expect((await jobs.waitFor(id, { timeoutMs: 1 })).status).toBe('InProgress');
    const waiting = [jobs.waitFor(id), jobs.waitFor(id.toUpperCase())];
    leave.open(42);
    expect((await Promise.all(waiting)).map(({ result }) => result)).toEqual([42, 42]);
    expect((await jobs.waitFor(id)).result).toBe(42);
  });

  it('does not miss a job that ends between the subscription and the read', async () => {
    class FinishesInBetween extends MemoryJobStore {
      override async subscribe(...args: Parameters<MemoryJobStore['subscribe']>) {
        const unsubscribe = await super.subscribe(...args);
        const topic = args[0];
        if ('job' in topic) await this.cancel([topic.job]);
        return unsubscribe;
      }
    }
    const { jobs, submit } = await startWorker({ role: 'api', store: new FinishesInBetween() });
    expect((await jobs.waitFor(await submit(stay), { timeoutMs: 600_000 })).status).toBe('Canceled');
  });

  it('ends a wait with the reason of the signal', async () => {
    const { jobs, submit } = await startWorker({ role: 'api' });
    const id = await submit(stay);
    const giveUp = new AbortController();
    const waiting = jobs.waitFor(id, { signal: giveUp.signal });
    giveUp.abort(new Error('changed my mind'));
    await expect(waiting).rejects.toThrow('changed my mind');
    await expect(jobs.waitFor(id, { signal: giveUp.signal })).rejects.toThrow('changed my mind');
    expect(await codeOf(jobs.waitFor(randomUUID()))).toBe('JOB_NOT_FOUND');
  });

  it('finds no job for an invalid id', async () => {
    const { jobs } = await startWorker({ role: 'api' });
    expect(await jobs.find('nonsense')).toBeNull();
    expect(await jobs.find(randomUUID())).toBeNull();
  });

  it('cancels and reruns, and rejects with the reason when it cannot', async () => {
    const { jobs, submit, handler, reached } = await startWorker();
    const id = await submit({ do: 'stay', obedient: true });
    await handler.nextRun();
    expect(await codeOf(jobs.rerun(id))).toBe('JOB_NOT_RERUNNABLE');
    expect((await jobs.cancel(id)).status).toBe('Canceled');
    expect((await jobs.rerun(id)).status).toBe('Queued');
    (await handler.nextRun()).leave.open('second life');
    await reached(id, 'Completed');
    expect(await codeOf(jobs.cancel(id))).toBe('JOB_ALREADY_FINISHED');
    expect(await codeOf(jobs.rerun(id))).toBe('JOB_NOT_RERUNNABLE');
    expect(await codeOf(jobs.cancel(randomUUID()))).toBe('JOB_NOT_FOUND');
    expect(await codeOf(jobs.rerun('nonsense'))).toBe('INVALID_JOB_ID');
  });

  it('cancels and reruns many jobs, each independently', async () => {
    const { jobs, submit, handler, reached } = await startWorker({ worker: { maxConcurrency: 2 } });
    const done = await submit({ do: 'return' });
    await reached(done, 'Completed');
    await handler.nextRun();
    const ids = [await submit(stay), await submit(stay)];
    const runs = [await handler.nextRun(), await handler.nextRun()];
    const all = [...ids, done, randomUUID()];
    expect((await jobs.cancelMany(all)).map(({ id, status }) => [id, status])).toEqual(
      ids.map((id) => [id, 'Canceled']),
    );
    for (const { leave } of runs) leave.open(null);
    expect((await jobs.rerunMany(all)).map(({ id, status }) => [id, status])).toEqual(ids.map((id) => [id, 'Queued']));
    for (const _ of ids) (await handler.nextRun()).leave.open(null);
    for (const id of ids) await reached(id, 'Completed');
    expect(await codeOf(jobs.rerunMany(['nonsense']))).toBe('INVALID_JOB_ID');
  });

  it('recovers only jobs that have run for too long, even from a live worker', async () => {
    let now = Date.now();
    const store = new MemoryJobStore({ now: () => now });
    const { jobs, submit, handler, reached } = await startWorker({ store, worker: { leaseMs: 3_600_000 } });
    const stuck = await submit(stay);
    const stuckRun = await handler.nextRun();
    now += 60_000;
    const young = await submit(stay);
    const { leave } = await handler.nextRun();
    expect(await jobs.recover()).toEqual([]);
    expect(await jobs.recover({ runningForMs: 60_000 })).toMatchObject([{ id: stuck, status: 'Queued', crashes: 0 }]);
    stuckRun.leave.open('too late');
    (await handler.nextRun()).leave.open('second life');
    expect((await reached(stuck, 'Completed')).result).toBe('second life');
    expect((await jobs.find(young))?.status).toBe('InProgress');
    leave.open(null);
    await reached(young, 'Completed');
  });

  it('recovers a job that has run for too long, without its subscribers seeing Canceled', async () => {
    const redis = await startRedisServer();
    onTestFinished(() => redis.stop());
    const store = new RedisJobStore({ url: redis.url });
    const { jobs, submit, handler } = await startWorker({ store });
    const id = await submit(stay);
    const first = await handler.nextRun();
    const seen: string[] = [];
    const end = lastValueFrom(jobs.follow(id).pipe(tap(({ status }) => seen.push(status))));
    const waited = jobs.waitFor(id);
    await eventually(() => seen.length > 0);
    expect(await jobs.recover({ runningForMs: 0 })).toMatchObject([
      { id, status: 'Queued', crashes: 0, retryCount: 0 },
    ]);
    first.leave.open('too late');
    (await handler.nextRun()).leave.open('second life');
    expect((await waited).result).toBe('second life');
    expect((await end).result).toBe('second life');
    expect(seen).not.toContain('Canceled');
  });

  it('lists, counts and finds stuck jobs', async () => {
    let now = Date.now();
    const store = new MemoryJobStore({ now: () => now });
    const { jobs, submit, handler } = await startWorker({ store, worker: { maxConcurrency: 1 } });
    const stuck = await submit(stay);
    const { leave } = await handler.nextRun();
    await submit({ do: 'return' });
    await jobs.submit('Other', null, { delayMs: 1_000 });
    expect([await jobs.depth(), await jobs.depth('Other'), await jobs.depth('Unknown')]).toEqual([2, 1, 0]);
    expect(await jobs.runningFor(7_200_000)).toEqual([]);
    now += 7_200_000;
    expect((await jobs.runningFor(7_200_000)).map(({ id }) => id)).toEqual([stuck]);
    const all = await jobs.list();
    expect(all.jobs).toHaveLength(3);
    expect((await jobs.list({ status: 'InProgress' })).jobs.map(({ id }) => id)).toEqual([stuck]);
    expect(await codeOf(jobs.list({}, { cursor: 'made up' }))).toBe('INVALID_OPTION');
    leave.open(null);
    await eventually(async () => (await jobs.depth('Scripted')) === 0);
  });
});
