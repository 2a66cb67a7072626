import { JobManager } from 'nestjs-async-endpoints';
import { aJobContext, runJobs, Scripted, ScriptedHandler, TestJobStore } from 'nestjs-async-endpoints/testing';
import { startWorker } from '../../worker/start-worker.js';

describe('runJobs', () => {
  it('runs delayed jobs without waiting, starts the worker if needed, and ends when all jobs are terminal', async () => {
    const { app, jobs } = await startWorker({ store: new TestJobStore(), worker: { autoStart: false } });
    await jobs.submit(Scripted, { do: 'return', value: 1 }, { delayMs: 3_600_000 });
    await jobs.submit(Scripted, { do: 'retry', afterMs: 60_000 }, { maxRetries: 2 });
    await jobs.submit('UnknownHere', {});
    const ended = await runJobs(app);
    expect(ended.map(({ status, retryCount }) => `${status} ${retryCount}`).toSorted()).toEqual([
      'Completed 0',
      'Failed 2',
    ]);
    expect(await runJobs(app)).toEqual(ended);
  });

  it('names a job that does not end in time', async () => {
    const { app, jobs, handler } = await startWorker({ store: new TestJobStore() });
    const { id } = await jobs.submit(Scripted, { do: 'stay' });
    const run = await handler.nextRun();
    await expect(runJobs(app, 20)).rejects.toThrow(`Job Scripted ${id} is still InProgress after 20 ms.`);
    run.leave.open(null);
  });

  it('refuses an application without handlers', async () => {
    const { app } = await startWorker({ role: 'api' }, []);
    await expect(runJobs(app)).rejects.toThrow('This application has no handlers');
    expect(app.get(JobManager)).toBeDefined();
  });
});

describe('aJobContext', () => {
  it('has defaults for all properties', () => {
    const context = aJobContext(Scripted);
    expect(context).toMatchObject({ name: 'Scripted', attempt: 1, maxAttempts: 4, fence: 1, owner: null, values: {} });
    expect(context.headers.get('x')).toBeUndefined();
    expect(context.deadline.getTime()).toBeGreaterThan(Date.now());
  });

  it('aborts the signal when the test calls abort', async () => {
    const context = aJobContext(Scripted, { values: { tenant: 'A' }, queryParams: { page: '2' } });
    const running = new ScriptedHandler().handle({ do: 'stay', obedient: true }, context);
    context.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    expect([context.values, context.queryParams.get('page')]).toEqual([{ tenant: 'A' }, '2']);
  });
});
