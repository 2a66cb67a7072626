import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import {
  AsyncEndpoint,
  AsyncEndpointsError,
  defineJob,
  type JobRecord,
  JobWorker,
  MemoryJobStore,
  PermanentJobError,
  type Submission,
} from 'nestjs-async-endpoints';
import { eventually } from 'nestjs-async-endpoints/testing';
import { refused } from './answer.js';
import {
  ACCEPTING,
  handlerOf,
  HeldReport,
  Report,
  type ReportRequest,
  ReportsController,
  UNKNOWN_ID,
} from './reports.js';
import { ADAPTERS, STACKS, startApp } from './start-app.js';
import { storesOf } from './stacks.js';

const Poster = defineJob<ReportRequest>('Poster', { maximumQueueSize: 1, maximumPayloadBytes: 400 });
const Tangle = defineJob<object>('Tangle');

@Controller()
class OtherController {
  @Post('posters')
  @AsyncEndpoint(Poster)
  poster(@Body() request: ReportRequest) {
    return request;
  }

  @Post('tangles')
  @AsyncEndpoint(Tangle)
  tangle() {
    const tangle: { self?: object; secret: string } = { secret: 'sesame' };
    return Object.assign(tangle, { self: tangle });
  }

  @Post('sync')
  @HttpCode(200)
  sync(@Body() body: unknown) {
    return { body };
  }
}

/** A store whose server has gone away. */
class UnreachableStore extends MemoryJobStore {
  error: Error | null = new AsyncEndpointsError('STORE_UNAVAILABLE');

  override async submit(...args: Parameters<MemoryJobStore['submit']>): Promise<Submission[]> {
    if (this.error) throw this.error;
    return super.submit(...args);
  }

  override async find(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    if (this.error) throw this.error;
    return super.find(ids);
  }

  override async cancel(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    if (this.error) throw this.error;
    return super.cancel(ids);
  }
}

function unknownToAll(): never {
  throw new Error('the directory of users is sesame');
}

describe.each(ADAPTERS)('A body that cannot be read, on %s', (adapter) => {
  it.each(['{"title": ', '{title: 1}', 'null garbage', '[1,2'])(
    'is refused with 400 as on a synchronous route: %j (D-21)',
    async (body) => {
      const app = await startApp(adapter, {
        controllers: [ReportsController, OtherController],
        options: { role: 'api' },
      });
      const headers = { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(body)) };
      const answer = await app.sendRaw('POST', '/reports', headers, body);
      const sync = await app.sendRaw('POST', '/sync', headers, body);
      expect([answer.status, sync.status, await app.all()]).toEqual([400, 400, []]);
    },
  );

  it('that is JSON null never is a fault of the server (D-50)', async () => {
    const app = await startApp(adapter, ACCEPTING);
    expect((await app.post('/reports', 'null')).status).toBeLessThan(500);
  });

  it.each(['application/xml', 'image/png', 'application/jsonx', ''])(
    'because of its content type %j is refused with 415, and nothing is queued (D-21)',
    async (type) => {
      const app = await startApp(adapter, ACCEPTING);
      const answer = await app.sendRaw('POST', '/reports', { 'Content-Type': type, 'Content-Length': 8 }, '<report>');
      expect(answer.status).toBe(415);
      expect(await app.all()).toEqual([]);
    },
  );

  it.runIf(adapter === 'Express')('because it is plain text, which Fastify takes, is refused with 415', async () => {
    const app = await startApp(adapter, ACCEPTING);
    const answer = await app.post('/reports', '<report>', { 'Content-Type': 'text/plain' });
    expect(answer.refusal).toEqual(refused(415, 'UNSUPPORTED_MEDIA_TYPE'));
    expect(await app.all()).toEqual([]);
  });

  it('larger than the adapter takes is refused with 413, and nothing is queued (D-51)', async () => {
    const app = await startApp(adapter, ACCEPTING);
    const answer = await app.post('/reports', { title: 'x'.repeat(1_100_000) });
    expect(answer.status).toBe(413);
    expect(await app.all()).toEqual([]);
  });
});

describe.each(STACKS)('A payload larger than allowed, on %s', (stack) => {
  it('is refused with 413 PAYLOAD_TOO_LARGE by jobs.maximumPayloadBytes (D-51)', async () => {
    const app = await startApp(stack, {
      ...ACCEPTING,
      options: { role: 'api', jobs: { maximumPayloadBytes: 1_000 } },
    });
    const answer = await app.post('/reports', { title: 'x'.repeat(1_000) });
    expect(answer.refusal).toEqual(refused(413, 'PAYLOAD_TOO_LARGE'));
    expect(answer.problem.detail).toContain('1000 bytes');
    expect(await app.all()).toEqual([]);
    expect((await app.post('/reports', { title: 'small' })).status).toBe(202);
  });

  it("is refused by the job's own limit, counted in bytes and not characters (D-51)", async () => {
    const app = await startApp(stack, { controllers: [OtherController], options: { role: 'api' } });
    const answer = await app.post('/posters', { title: '🐝'.repeat(100) });
    expect(answer.refusal).toEqual(refused(413, 'PAYLOAD_TOO_LARGE'));
  });
});

describe.each(STACKS)('A full queue, on %s', (stack) => {
  it('refuses with 503 QUEUE_FULL and Retry-After by jobs.maximumQueueSize, until there is room (D-18)', async () => {
    const app = await startApp(stack, { ...ACCEPTING, options: { role: 'api', jobs: { maximumQueueSize: 2 } } });
    const { job } = await app.post('/reports', { title: '1' });
    await app.post('/reports', { title: '2' });
    const third = await app.post('/reports', { title: '3' });

    expect(third.refusal).toEqual(refused(503, 'QUEUE_FULL'));
    expect(third.header('Retry-After')).toBe('1');
    expect(await app.all()).toHaveLength(2);
    await app.delete(job.links.self);
    expect((await app.post('/reports', { title: '3' })).status).toBe(202);
  });

  it("refuses by a job's own maximumQueueSize, and no other job for it (D-18)", async () => {
    const app = await startApp(stack, {
      controllers: [ReportsController, OtherController],
      options: { role: 'api' },
    });
    expect((await app.post('/posters', { title: '1' })).status).toBe(202);
    expect((await app.post('/posters', { title: '2' })).refusal).toEqual(refused(503, 'QUEUE_FULL'));
    expect((await app.post('/reports', { title: '2' })).status).toBe(202);
  });

  it('is shared by all instances, and never exceeded by concurrent submissions (D-18)', async () => {
    const stores = await storesOf(stack);
    const options = () => ({ role: 'api' as const, store: stores.replica(), jobs: { maximumQueueSize: 5 } });
    const one = await startApp(stack, { ...ACCEPTING, options: options() });
    const other = await startApp(stack, { ...ACCEPTING, options: options() });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 ? one : other).post('/reports', { title: `${index}` })),
    );
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 503)).toHaveLength(15);
    expect(await one.all()).toHaveLength(5);
  });

  it('still replays what it accepted before', async () => {
    const app = await startApp(stack, { ...ACCEPTING, options: { role: 'api', jobs: { maximumQueueSize: 1 } } });
    await app.post('/reports', { title: '1' }, { 'X-Async-Request-Id': UNKNOWN_ID });
    const replay = await app.post('/reports', { title: '1' }, { 'X-Async-Request-Id': UNKNOWN_ID });
    expect([replay.status, replay.header('Idempotency-Replayed')]).toEqual([202, 'true']);
  });
});

describe.each(STACKS)('An application that is shutting down, on %s', (stack) => {
  it('refuses with 503 SHUTTING_DOWN while running jobs end, and still answers for those', async () => {
    const held = new HeldReport();
    const app = await startApp(stack, {
      controllers: [ReportsController],
      providers: [held.Handler],
      options: { worker: { drainTimeoutMs: 20_000 } },
    });
    const { job } = await app.post('/reports', { title: 'Bees' });
    await held.started.opened;
    const closed = app.close();
    const refusal = await vi.waitFor(async () => {
      const answer = await app.post('/reports', { title: 'too late' });
      expect(answer.status).toBe(503);
      return answer;
    });
    const status = await app.get(job.links.self);
    const all = await app.all();
    held.finish.open({ text: 'done' });
    await closed;

    expect(refusal.refusal).toEqual(refused(503, 'SHUTTING_DOWN'));
    expect(refusal.header('Retry-After')).toBe('1');
    expect(refusal.header('Connection')).toBe('close');
    expect([status.status, status.job.status]).toEqual([202, 'InProgress']);
    expect(all).toHaveLength(all.filter(({ status: is }) => is === 'Queued').length + 1);
  });
});

describe.each(ADAPTERS)('An application that has told balancers to go elsewhere, on %s', (adapter) => {
  it('takes submissions for shutdownDelayMs, each answer the last of its connection (S-90, S-99)', async () => {
    const options = { role: 'api', http: { shutdownDelayMs: 1_500 } } as const;
    const app = await startApp(adapter, { ...ACCEPTING, options });
    const before = await app.post('/reports', { title: 'Bees' });
    const closed = app.close();
    await eventually(() => app.nest.get(JobWorker).isStopping);
    const held = app.get(before.job.links.self, { Prefer: 'wait=30' });
    const taken = await app.post('/reports', { title: 'Wasps' });
    await closed;
    const answers = [before, taken, await held];
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(answers.map((answer) => answer.header('Connection'))).toEqual(['keep-alive', 'close', 'close']);
  });
});

describe.each(ADAPTERS)('A store that cannot be reached, on %s', (adapter) => {
  it('is answered 503 STORE_UNAVAILABLE with Retry-After on submission, status, result and cancel', async () => {
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

  it('does not stop what needs no store: a malformed id is 400 all the same', async () => {
    const app = await startApp(adapter, { ...ACCEPTING, options: { role: 'api', store: new UnreachableStore() } });
    expect((await app.get('/jobs/17')).refusal).toEqual(refused(400, 'INVALID_JOB_ID'));
    const malformed = await app.post('/reports', { title: 'Bees' }, { 'X-Async-Request-Id': '17' });
    expect(malformed.refusal).toEqual(refused(400, 'INVALID_REQUEST_ID'));
  });
});

describe.each(ADAPTERS)('A fault of the server, on %s', (adapter) => {
  it('is 500 INTERNAL_ERROR with a correlation id that stands in the log, and says nothing else (D-25)', async () => {
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

  it('such as a method that returns what is no JSON says nothing of it either (D-25)', async () => {
    const app = await startApp(adapter, { controllers: [OtherController], options: { role: 'api' } });
    const answer = await app.post('/tangles');
    expect(answer.refusal).toEqual(refused(500, 'INTERNAL_ERROR'));
    expect(answer.text).not.toMatch(/sesame|circular/i);
    expect(await app.all()).toEqual([]);
  });

  it('such as an owner function that throws queues nothing', async () => {
    const app = await startApp(adapter, { ...ACCEPTING, options: { role: 'api', http: { owner: unknownToAll } } });
    const answer = await app.post('/reports', { title: 'Bees' });
    expect(answer.refusal).toEqual(refused(500, 'INTERNAL_ERROR'));
    expect(answer.text).not.toContain('sesame');
    expect(await app.all()).toEqual([]);
  });

  it('in a handler fails the job and leaves the server well', async () => {
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
