import { Logger } from '@nestjs/common';
import { AsyncEndpointsError, JobManager, JobWorker, MemoryJobStore, PermanentJobError } from 'nestjs-async-endpoints';
import { eventually, Scripted, ScriptedHandler, unreliable } from 'nestjs-async-endpoints/testing';
import { startWithDatabase } from './start-with-database.js';
import { hasStatus, startWorker } from './start-worker.js';

describe('A worker that shuts down', () => {
  it('finishes running jobs, and claims no more', async () => {
    const store = new MemoryJobStore();
    const { app, jobs, submit, handler, worker } = await startWorker({ store, worker: { maxConcurrency: 1 } });
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

  it('aborts jobs that take too long, and releases those that ignore the signal, without spending an attempt', async () => {
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

  it('keeps a result that arrives after the signal, within the grace', async () => {
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

  it('drains before the providers are destroyed that its handlers depend on, global ones too', async () => {
    const { app, jobs, id, database, handler, leave } = await startWithDatabase({ jobs: { defaultMaxRetries: 0 } });
    const closed = app.close();
    await eventually(() => app.get(JobWorker).isStopping);
    leave.open(null);
    await closed;
    expect(handler.sawOpen).toBe(true);
    expect(database.isOpen).toBe(false);
    expect(await jobs.find(id)).toMatchObject({ status: 'Completed', retryCount: 0 });
  });

  it('releases a job whose handler throws during the shutdown, without spending an attempt', async () => {
    const store = new MemoryJobStore();
    const { app, jobs, submit, handler, worker } = await startWorker({ store, jobs: { defaultMaxRetries: 0 } });
    const id = await submit({ do: 'stay' });
    const hopeless = await submit({ do: 'stay' });
    const runs = [await handler.nextRun(), await handler.nextRun()];
    const closed = app.close();
    await eventually(() => worker.isStopping);
    runs[0]?.leave.open(Promise.reject(new Error('the database is closed')));
    runs[1]?.leave.open(Promise.reject(new PermanentJobError('hopeless')));
    await closed;
    expect(await jobs.find(id)).toMatchObject({ status: 'Queued', retryCount: 0, crashes: 0, error: null });
    expect(await jobs.find(hopeless)).toMatchObject({ status: 'Failed', error: { message: 'hopeless' } });
  });

  it('ends in bounded time when the store does not reply, and logs the undelivered outcomes', async () => {
    const cut = unreliable(new MemoryJobStore());
    const told = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    try {
      const { app, submit, handler } = await startWorker({
        store: cut.store,
        worker: { drainTimeoutMs: 20, abortGraceMs: 20, pollingIntervalMs: 10 },
      });
      const id = await submit({ do: 'stay' });
      const { leave } = await handler.nextRun();
      cut.fail({ error: new AsyncEndpointsError('STORE_UNAVAILABLE', undefined, { cause: new Error('OOM no room') }) });
      leave.open('undelivered');
      await app.close().catch(() => {}); // on Nest 11 it rejects, because the store cannot be closed
      const lines = told.mock.calls.map(([line]) => String(line));
      expect(lines).toContainEqual(
        expect.stringMatching(new RegExp(`Job Scripted ${id}: its outcome is not stored.*OOM no room`)),
      );
    } finally {
      told.mockRestore();
    }
  });

  it('ends in bounded time when a custom store replies to none of the last calls', async () => {
    const store = new MemoryJobStore();
    const silent = (['stats', 'close'] as const).map((verb) =>
      vi.spyOn(store, verb).mockImplementation(() => new Promise<never>(() => {})),
    );
    const told = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    const { app } = await startWorker({ store });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const closed = app.close().then(() => true);
      for (let isClosed = false; !isClosed; isClosed = await Promise.race([closed, Promise.resolve(false)]))
        await vi.advanceTimersByTimeAsync(1_000);
      const lines = told.mock.calls.map(([line]) => String(line));
      for (const purpose of ['count its jobs', 'close'])
        expect(lines).toContainEqual(expect.stringContaining(`The job store did not ${purpose}`));
    } finally {
      vi.useRealTimers();
      for (const spy of [...silent, told]) spy.mockRestore();
    }
  });

  it('logs its beginning, the abort and its end', async () => {
    const lines: string[] = [];
    const note = (line: unknown) => void lines.push(String(line));
    const spies = (['log', 'warn'] as const).map((level) => vi.spyOn(Logger.prototype, level).mockImplementation(note));
    try {
      const { app, submit, handler } = await startWorker({ worker: { drainTimeoutMs: 20, abortGraceMs: 20 } });
      await submit({ do: 'stay', obedient: true });
      await handler.nextRun();
      await app.close();
      const ours = lines.filter((line) => /Shutting down|still running|has stopped/.test(line));
      expect(ours).toEqual([
        'Shutting down: 1 job running; waiting up to 0.02 s',
        '1 job still running after 0.02 s: their signals are aborted',
        expect.stringMatching(/^The worker has stopped after \d/),
      ]);
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
  });

  it('may be closed twice', async () => {
    const { app } = await startWorker();
    await app.close();
    await app.close();
  });

  it('leaves nothing that keeps the process alive', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const { app, submit, reached, jobs } = await startWorker();
    await reached(await submit({ do: 'return' }), 'Completed');
    await jobs.submit(Scripted, { do: 'return' }, { delayMs: 60_000 });
    await app.close();
    expect(timers()).toBeLessThanOrEqual(before);
  });

  it('logs the number of jobs that are lost with the process, and that SIGTERM would end it', async () => {
    const warned: string[] = [];
    const spy = vi.spyOn(Logger.prototype, 'warn').mockImplementation((message: string) => void warned.push(message));
    try {
      const { app, jobs } = await startWorker({}, [ScriptedHandler]);
      await jobs.submit(Scripted, { do: 'return' }, { delayMs: 60_000 });
      if (process.listenerCount('SIGTERM') === 0) await eventually(() => warned.length > 0);
      await app.close();
      expect(warned).toContainEqual(expect.stringContaining('1 waiting jobs are lost with this process'));
      expect(warned).toContainEqual(expect.stringContaining('enableShutdownHooks'));
    } finally {
      spy.mockRestore();
    }
  });
});
