import { Controller, Post } from '@nestjs/common';
import {
  AsyncEndpoint,
  AsyncEndpointsError,
  defineJob,
  type JobRecord,
  MemoryJobStore,
  PermanentJobError,
} from 'nestjs-async-endpoints';
import type { Submission } from 'nestjs-async-endpoints/store';
import { refused } from './answer.js';
import { ACCEPTING, handlerOf, Report, ReportsController, UNKNOWN_ID } from './reports.js';
import { ADAPTERS, startApp } from './start-app.js';

const Tangle = defineJob<object>('Tangle');

@Controller()
class TanglesController {
  @Post('tangles')
  @AsyncEndpoint(Tangle)
  tangle() {
    const tangle: { self?: object; secret: string } = { secret: 'sesame' };
    return Object.assign(tangle, { self: tangle });
  }
}

/** A store whose server has gone away. */
class UnreachableStore extends MemoryJobStore {
  error: Error | null = new AsyncEndpointsError('STORE_UNAVAILABLE');

  override async submit(...args: Parameters<MemoryJobStore['submit']>): Promise<Submission[]> {
    if (this.error) throw this.error;
    return super.submit(...args);
  }

  override async find(...args: Parameters<MemoryJobStore['find']>): Promise<(JobRecord | null)[]> {
    if (this.error) throw this.error;
    return super.find(...args);
  }

  override async cancel(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    if (this.error) throw this.error;
    return super.cancel(ids);
  }
}

function unknownToAll(): never {
  throw new Error('the directory of users is sesame');
}

describe.each(ADAPTERS)('An unreachable store, on %s', (adapter) => {
  it('causes 503 STORE_UNAVAILABLE with Retry-After for submission, status, result and cancel', async () => {
    const store = new UnreachableStore();
    const app = await startApp(adapter, { ...ACCEPTING, options: { role: 'api', store } });
    const path = `/jobs/${UNKNOWN_ID}`;
    const answers = [
      await app.post('/reports', { title: 'Bees' }),
      await app.get(path),
      await app.get(`${path}/result`),
      await app.delete(path),
    ];
    for (const answer of answers) {
      expect(answer.refusal).toEqual(refused(503, 'STORE_UNAVAILABLE'));
      expect(answer.header('Retry-After')).toBe('1');
    }
    store.error = null;
    expect(await app.all()).toEqual([]);
    expect((await app.post('/reports', { title: 'Bees' })).status).toBe(202);
  });

  it.each(['STORE_FULL', 'STORE_READ_ONLY'] as const)('causes 503 with its reason when it is %s', async (code) => {
    const store = new UnreachableStore();
    store.error = new AsyncEndpointsError(code);
    const app = await startApp(adapter, { ...ACCEPTING, options: { role: 'api', store } });
    const answer = await app.post('/reports', { title: 'Bees' });
    expect(answer.refusal).toEqual(refused(503, code));
    expect(answer.header('Retry-After')).toBe('1');
  });

  it('does not affect responses without the store: a malformed id is still 400', async () => {
    const app = await startApp(adapter, { ...ACCEPTING, options: { role: 'api', store: new UnreachableStore() } });
    expect((await app.get('/jobs/17')).refusal).toEqual(refused(400, 'INVALID_JOB_ID'));
    const malformed = await app.post('/reports', { title: 'Bees' }, { 'X-Async-Request-Id': '17' });
    expect(malformed.refusal).toEqual(refused(400, 'INVALID_REQUEST_ID'));
  });
});

describe.each(ADAPTERS)('An internal error, on %s', (adapter) => {
  it('is 500 INTERNAL_ERROR with only a correlation id, which is also in the log', async () => {
    const store = new UnreachableStore();
    store.error = new Error('connect ECONNREFUSED redis://:sesame@10.0.0.7:6379');
    const app = await startApp(adapter, { ...ACCEPTING, options: { role: 'api', store } });
    for (const answer of [await app.post('/reports', { title: 'Bees' }), await app.get(`/jobs/${UNKNOWN_ID}`)]) {
      expect(answer.refusal).toEqual(refused(500, 'INTERNAL_ERROR'));
      expect(Object.keys(answer.problem).toSorted()).toEqual(
        'code,correlationId,detail,instance,status,title,type'.split(','),
      );
      expect(answer.problem.correlationId).toMatch(/^[\da-f-]{36}$/);
      expect(answer.text).not.toMatch(/ECONNREFUSED|sesame|redis|10\.0\.0\.7|\.ts/);
      expect(app.log.text).toContain(answer.problem.correlationId);
    }
    expect(app.log.text).toContain('ECONNREFUSED');
  });

  it('of a method that returns no JSON reveals no details', async () => {
    const app = await startApp(adapter, { controllers: [TanglesController], options: { role: 'api' } });
    const answer = await app.post('/tangles');
    expect(answer.refusal).toEqual(refused(500, 'INTERNAL_ERROR'));
    expect(answer.text).not.toMatch(/sesame|circular/i);
    expect(await app.all()).toEqual([]);
  });

  it('of an owner function that throws queues nothing', async () => {
    const app = await startApp(adapter, { ...ACCEPTING, options: { role: 'api', http: { owner: unknownToAll } } });
    const answer = await app.post('/reports', { title: 'Bees' });
    expect(answer.refusal).toEqual(refused(500, 'INTERNAL_ERROR'));
    expect(answer.text).not.toContain('sesame');
    expect(await app.all()).toEqual([]);
  });

  it('in a handler fails the job and does not affect the server', async () => {
    const failing = handlerOf(Report, ({ title }) => {
      if (title === 'Wasps') throw new PermanentJobError('No wasps.', { code: 'NO_WASPS' });
      return { text: title };
    });
    const app = await startApp(adapter, { controllers: [ReportsController], providers: [failing] });
    const wasps = await app.ended((await app.post('/reports', { title: 'Wasps' })).job);
    expect([wasps.status, wasps.job.status, wasps.job.error?.code]).toEqual([200, 'Failed', 'NO_WASPS']);
    const bees = await app.ended((await app.post('/reports', { title: 'Bees' })).job);
    expect([bees.status, bees.job.status]).toEqual([200, 'Completed']);
  });
});
