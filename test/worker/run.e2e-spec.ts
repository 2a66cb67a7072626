import { hostname } from 'node:os';
import {
  AsyncHandler,
  defineJob,
  JOB_CHANNELS,
  type JobContext,
  type JobEvent,
  type JobHandler,
} from 'nestjs-async-endpoints';
import { gate, Scripted, ScriptedHandler } from 'nestjs-async-endpoints/testing';
import { startWorker } from './start-worker.js';

const NO_DELAY = { retryCurve: () => 0 };

describe('A worker runs a job', () => {
  it('only after start() when `autoStart` is false, also in a script', async () => {
    const { submit, jobs, worker, reached } = await startWorker({ worker: { autoStart: false } });
    const id = await submit({ do: 'return', value: 'from a script' });
    expect([worker.isStarted, (await jobs.find(id))?.status]).toEqual([false, 'Queued']);
    await worker.start();
    expect((await reached(id, 'Completed')).result).toBe('from a script');
  });

  it.each([
    ['null', null],
    ['undefined', undefined],
  ])('and counts %s as a success', async (_name, value) => {
    const { submit, reached, handler } = await startWorker();
    const { result } = await reached(await submit({ do: 'return', value }), 'Completed');
    expect(result).toBeNull();
    expect(handler.runs).toHaveLength(1);
  });

  it.each([
    ['an object without a prototype', () => Object.create(null) as unknown],
    ['an object that cannot be read', () => Object.defineProperty({}, 'code', { get: unreadable })],
    [
      'a Proxy whose traps throw',
      () => new Proxy({}, { get: unreadable, getPrototypeOf: unreadable, has: unreadable }),
    ],
    [
      'an object that inherits from such a Proxy',
      () => Object.create(new Proxy({}, { getPrototypeOf: unreadable })) as unknown,
    ],
    ['a symbol', () => Symbol('s')],
    ['nothing', () => undefined],
  ])('and survives a handler that throws %s', async (_what, thrown) => {
    @AsyncHandler(Scripted)
    class Throwing implements JobHandler<typeof Scripted> {
      handle(): never {
        throw thrown();
      }
    }
    const { submit, reached } = await startWorker({ jobs: { defaultMaxRetries: 0 } }, [Throwing]);
    const { error } = await reached(await submit({ do: 'return' }), 'Failed');
    expect(error?.code).toBe('UNKNOWN_ERROR');
  });

  it('and gives its handler the context', async () => {
    const { jobs, handler, reached } = await startWorker({ jobs: { defaultMaxRetries: 2, timeoutMs: 60_000 } });
    const snapshot = {
      headers: [['Accept-Language', 'de']],
      routeParams: [['shop', '7']],
      queryParams: [
        ['tag', 'a'],
        ['tag', 'b'],
      ],
    } as const;
    const before = Date.now();
    const { id } = await jobs.submit(Scripted, { do: 'return' }, { owner: 'ann', snapshot });
    const { context } = await handler.nextRun();
    await reached(id, 'Completed');
    expect(context).toMatchObject({ id, name: 'Scripted', attempt: 1, maxAttempts: 3, owner: 'ann', fence: 1 });
    expect(context.deadline.getTime()).toBeGreaterThanOrEqual(before + 60_000);
    expect(context.deadline).toEqual(context.deadline);
    expect(context.signal.aborted).toBe(false);
    expect(context.headers.get('ACCEPT-language')).toBe('de');
    expect(context.routeParams.get('Shop')).toBe('7');
    expect(context.queryParams.getAll('TAG')).toEqual(['a', 'b']);
    expect([...context.queryParams]).toEqual(snapshot.queryParams);
    expect(context.headers.get('absent')).toBeUndefined();
  });

  it('and shows its progress while it runs', async () => {
    const { submit, jobs, handler, reached } = await startWorker();
    const id = await submit({ do: 'stay' });
    const { context, leave } = await handler.nextRun();
    await context.progress(0.25, 'a quarter');
    expect((await jobs.find(id))?.progress).toEqual({ fraction: 0.25, message: 'a quarter' });
    expect(() => context.progress(1.5)).toThrow('expected a number from 0 to 1');
    expect(() => context.progress(Number.NaN)).toThrow('expected a number from 0 to 1');
    leave.open('done');
    expect((await reached(id, 'Completed')).result).toBe('done');
  });

  it('again after an error, and then has the result and no error', async () => {
    const Flaky = defineJob<void, string>('Flaky', { maxRetries: 1, ...NO_DELAY });
    @AsyncHandler(Flaky)
    class FlakyHandler implements JobHandler<typeof Flaky> {
      handle(_request: void, { attempt }: JobContext) {
        if (attempt === 1) throw new Error('first');
        return 'second';
      }
    }
    const { jobs, reached } = await startWorker({}, [FlakyHandler, ScriptedHandler]);
    const job = await reached((await jobs.submit(Flaky, undefined)).id, 'Completed');
    expect(job).toMatchObject({ result: 'second', error: null, retryCount: 1 });
  });

  it('until its retries are spent, keeping code and message of the real error', async () => {
    const { submit, reached, handler } = await startWorker({ jobs: { defaultMaxRetries: 2, ...NO_DELAY } });
    const id = await submit({ do: 'throw', message: 'upstream said no', code: 'UPSTREAM' });
    const failed = await reached(id, 'Failed');
    expect(failed.error).toEqual({ code: 'UPSTREAM', message: 'upstream said no' });
    expect(handler.runs.map(({ context }) => context.attempt)).toEqual([1, 2, 3]);
    expect(JSON.stringify(failed)).not.toContain('stack');
  });

  it('and records the worker and outcome of each attempt', async () => {
    const { submit, reached, store, worker } = await startWorker({
      jobs: { defaultMaxRetries: 1, ...NO_DELAY },
      worker: { workerId: 'teller' },
    });
    expect(worker.isStarted).toBe(true);
    const history: string[] = [];
    const note = (verb: 'claim' | 'retry' | 'fail') => (message: unknown) => {
      const { job, cause, store: from } = message as JobEvent;
      if (from !== store) return;
      history.push(`${verb} attempt ${job.retryCount + 1} by ${job.worker}: ${(cause as Error | undefined)?.message}`);
    };
    const listeners = (['claim', 'retry', 'fail'] as const).map((verb) => [verb, note(verb)] as const);
    for (const [verb, listener] of listeners) JOB_CHANNELS[verb].subscribe(listener);
    await reached(await submit({ do: 'throw', message: 'upstream said no' }), 'Failed');
    for (const [verb, listener] of listeners) JOB_CHANNELS[verb].unsubscribe(listener);
    const teller = `teller@${hostname()}`;
    expect(history).toEqual([
      `claim attempt 1 by ${teller}: undefined`,
      `retry attempt 1 by ${teller}: upstream said no`,
      `claim attempt 2 by ${teller}: undefined`,
      `fail attempt 2 by ${teller}: upstream said no`,
    ]);
  });

  it('once when it fails with a PermanentJobError', async () => {
    const { submit, reached, handler } = await startWorker();
    const { error, retryCount } = await reached(await submit({ do: 'fail for good', message: 'hopeless' }), 'Failed');
    expect([error?.code, error?.message, retryCount]).toEqual(['PERMANENT_JOB_ERROR', 'hopeless', 0]);
    expect(handler.runs).toHaveLength(1);
  });

  it('again after the delay of a RetryJobError, with the error visible while it waits', async () => {
    const { submit, reached } = await startWorker();
    const job = await reached(await submit({ do: 'retry', afterMs: 600_000 }), 'Scheduled');
    expect(job.scheduledAt - job.lastUpdatedAt).toBe(600_000);
    expect(job.error).toEqual({ code: 'RETRY_JOB_ERROR', message: 'later' });
  });

  it.each([
    ['a BigInt', 1n],
    ['a function', () => 1],
    ['a cycle', Object.assign([], { 0: null }) as unknown[]],
  ])('and fails it with RESULT_NOT_SERIALIZABLE when it returns %s', async (what, value) => {
    if (what === 'a cycle') (value as unknown[])[0] = value;
    const Odd = defineJob<void, unknown>('Odd');
    @AsyncHandler(Odd)
    class OddHandler implements JobHandler<typeof Odd> {
      handle() {
        return value;
      }
    }
    const { jobs, reached } = await startWorker({}, [OddHandler, ScriptedHandler]);
    const { error, retryCount } = await reached((await jobs.submit(Odd, undefined)).id, 'Failed');
    expect([error?.code, retryCount]).toEqual(['RESULT_NOT_SERIALIZABLE', 0]);
  });

  it('and fails it with RESULT_TOO_LARGE when its result is too large', async () => {
    const { submit, reached } = await startWorker({ jobs: { maxResultBytes: 10 } });
    const { error } = await reached(await submit({ do: 'return', value: 'x'.repeat(11) }), 'Failed');
    expect(error?.code).toBe('RESULT_TOO_LARGE');
  });

  it('that was submitted from code, many at once, delayed, and by priority', async () => {
    const { jobs, handler, reached } = await startWorker({ worker: { maxConcurrency: 1 } });
    await jobs.submit(Scripted, { do: 'stay' });
    const first = await handler.nextRun();
    const stay = { do: 'return' } as const;
    const results = await jobs.submitMany(Scripted, [
      { payload: stay },
      { payload: stay, priority: 10 },
      { payload: stay, priority: 200 },
      { payload: stay, scheduledAt: new Date(Date.now() + 3_600_000) },
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    const [low, high, , later] = results.map((result) => (result.status === 'fulfilled' ? result.value : undefined));
    first.leave.open(null);
    await reached(low?.id as string, 'Completed');
    expect(handler.runs.slice(1).map(({ context }) => context.id)).toEqual([high?.id, low?.id]);
    expect(later?.status).toBe('Scheduled');
  });

  it('with a new handler instance for each run when the handler is request-scoped', async () => {
    const seen = new Set<object>();
    const release = gate();
    const Scoped = defineJob<void, void>('Scoped');
    const { Scope } = await import('@nestjs/common');
    @AsyncHandler(Scoped, { scope: Scope.REQUEST })
    class ScopedHandler implements JobHandler<typeof Scoped> {
      async handle() {
        seen.add(this);
        if (seen.size === 2) release.open();
        await release.opened;
      }
    }
    const { jobs, reached } = await startWorker({}, [ScopedHandler, ScriptedHandler]);
    const [one, two] = [await jobs.submit(Scoped, undefined), await jobs.submit(Scoped, undefined)];
    await reached(one.id, 'Completed');
    await reached(two.id, 'Completed');
    expect(seen.size).toBe(2);
  });

  it('as a failed attempt when its handler cannot be created', async () => {
    const Broken = defineJob<void, void>('Broken', { maxRetries: 0 });
    const { Scope, Injectable } = await import('@nestjs/common');
    @Injectable({ scope: Scope.REQUEST })
    class Dependency {
      constructor() {
        throw new Error('no connection');
      }
    }
    @AsyncHandler(Broken)
    class BrokenHandler implements JobHandler<typeof Broken> {
      constructor(readonly dependency: Dependency) {}
      handle() {}
    }
    const { jobs, reached } = await startWorker({}, [Dependency, BrokenHandler, ScriptedHandler]);
    const { error } = await reached((await jobs.submit(Broken, undefined)).id, 'Failed');
    expect(error?.message).toBe('no connection');
  });
});

function unreadable(): never {
  throw new Error('unreadable');
}
