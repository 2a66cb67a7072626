import { Logger } from '@nestjs/common';
import { JobManager, MemoryJobStore } from 'nestjs-async-endpoints';
import { eventually, Scripted, ScriptedHandler } from 'nestjs-async-endpoints/testing';
import { hasStatus, startWorker } from './start-worker.js';

describe('A worker that shuts down', () => {
  it('lets running jobs end, and claims no more (D-4)', async () => {
    const store = new MemoryJobStore();
    const { app, jobs, submit, handler, worker } = await startWorker({ store, worker: { maximumConcurrency: 1 } });
    const id = await submit({ do: 'stay' });
    const { context, leave } = await handler.nextRun();
    const waiting = await submit({ do: 'return' });
    const closed = app.close();
    await eventually(() => worker.isStopping);
    expect(context.signal.aborted).toBe(false);
    leave.open('in time');
    await closed;
    expect(await jobs.find(id)).toMatchObject({ status: 'Completed', result: 'in time' });
    expect(await jobs.find(waiting)).toMatchObject({ status: 'Queued', retryCount: 0, crashes: 0 });
    expect(handler.runs).toHaveLength(1);
  });

  it('tells those that take too long, and gives back what does not listen, no attempt spent (D-4)', async () => {
    const store = new MemoryJobStore();
    const { app, jobs, submit, handler } = await startWorker({
      store,
      worker: { drainTimeoutMs: 20, abortGraceMs: 20 },
    });
    const deaf = await submit({ do: 'stay' });
    const obedient = await submit({ do: 'stay', obedient: true });
    const runs = [await handler.nextRun(), await handler.nextRun()];
    await app.close();
    for (const { context } of runs) expect((context.signal.reason as { code: string }).code).toBe('SHUTTING_DOWN');
    for (const id of [deaf, obedient]) {
      expect(await jobs.find(id)).toMatchObject({ status: 'Queued', retryCount: 0, crashes: 0, error: null });
    }
    const next = await startWorker({ store });
    for (const id of [deaf, obedient]) {
      const run = await next.handler.nextRun();
      expect(run.context.attempt).toBe(1);
      run.leave.open(id);
    }
    await hasStatus(next.jobs, deaf, 'Completed');
    await hasStatus(next.jobs, obedient, 'Completed');
  });

  it('keeps a result that came after the signal, while there is grace', async () => {
    const { app, jobs, submit, handler } = await startWorker({ worker: { drainTimeoutMs: 10, abortGraceMs: 60_000 } });
    const id = await submit({ do: 'stay' });
    const { context, leave } = await handler.nextRun();
    const closed = app.close();
    await eventually(() => context.signal.aborted);
    leave.open('just in time');
    await closed;
    expect(await jobs.find(id)).toMatchObject({ status: 'Completed', result: 'just in time' });
  });

  it('lets a handler that is still running submit another job', async () => {
    const store = new MemoryJobStore();
    const { app, jobs, submit, handler, worker } = await startWorker({ store });
    await submit({ do: 'stay' });
    const { leave } = await handler.nextRun();
    const closed = app.close();
    await eventually(() => worker.isStopping);
    const { id } = await app.get(JobManager).submit(Scripted, { do: 'return' });
    leave.open(null);
    await closed;
    expect(await jobs.find(id)).toMatchObject({ status: 'Queued' });
  });

  it('leaves nothing behind that keeps the process alive', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const { app, submit, reached, jobs } = await startWorker();
    await reached(await submit({ do: 'return' }), 'Completed');
    await jobs.submit(Scripted, { do: 'return' }, { delayMs: 60_000 });
    await app.close();
    expect(timers()).toBeLessThanOrEqual(before);
  });

  it('says in the log what ends with the process, and that SIGTERM would end it', async () => {
    const warned: string[] = [];
    const spy = vi.spyOn(Logger.prototype, 'warn').mockImplementation((message: string) => void warned.push(message));
    try {
      const { app, jobs } = await startWorker({}, [ScriptedHandler]);
      await jobs.submit(Scripted, { do: 'return' }, { delayMs: 60_000 });
      if (process.listenerCount('SIGTERM') === 0) await eventually(() => warned.length > 0);
      await app.close();
      expect(warned).toContainEqual(expect.stringContaining('1 waiting jobs end with this process'));
      expect(warned).toContainEqual(expect.stringContaining('enableShutdownHooks'));
    } finally {
      spy.mockRestore();
    }
  });
});
