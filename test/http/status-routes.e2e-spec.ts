import { type CallHandler, type CanActivate, Controller, Injectable, Post, UseInterceptors } from '@nestjs/common';
import { AsyncEndpoint, defineJob, PermanentJobError } from 'nestjs-async-endpoints';
import { map } from 'rxjs';
import { refused } from './answer.js';
import { ACCEPTING, handlerOf, HeldReport, Report, ReportHandler, ReportsController, UNKNOWN_ID } from './reports.js';
import { STACKS, startApp } from './start-app.js';

/** Returns the JSON value that it is sent. */
const Echo = defineJob<void, unknown>('Echo');

@Controller('echo')
class EchoController {
  @Post()
  @AsyncEndpoint(Echo)
  echo() {}
}

function echoing(result: unknown) {
  return { controllers: [EchoController], providers: [handlerOf(Echo, () => result)] };
}

function failing(error: Error) {
  const Handler = handlerOf(Report, () => {
    throw error;
  });
  return { controllers: [ReportsController], providers: [Handler], options: { jobs: { defaultMaxRetries: 0 } } };
}

describe.each(STACKS)('GET /jobs/{id}, on %s', (stack) => {
  it('returns 202 with Retry-After and Location while the job waits or runs', async () => {
    const held = new HeldReport();
    const app = await startApp(stack, {
      controllers: [ReportsController],
      providers: [held.Handler],
      options: { worker: { maxConcurrency: 1 } },
    });
    const running = await app.post('/reports', { title: '1' });
    await held.started.opened;
    const queued = await app.post('/reports', { title: '2' });
    const scheduled = await app.jobs.submit(Report, { title: '3' }, { delayMs: 60_000 });

    for (const [id, status, seconds] of [
      [running.job.id, 'InProgress', '1'],
      [queued.job.id, 'Queued', '1'],
      [scheduled.id, 'Scheduled', '60'],
    ] as const) {
      const answer = await app.get(`/jobs/${id}`);
      expect([answer.status, answer.job.status]).toEqual([202, status]);
      expect(answer.header('Retry-After')).toBe(seconds);
      expect(answer.header('Location')).toBe(`/jobs/${id}`);
      expect(answer.header('Cache-Control')).toBe('private, no-cache');
    }
    held.finish.open({ text: '' });
  });

  it('returns 200 without Retry-After when the job has completed', async () => {
    const app = await startApp(stack, { controllers: [ReportsController], providers: [ReportHandler] });
    const answer = await app.ended((await app.post('/reports', { title: 'Bees' })).job);
    expect([answer.status, answer.job.status]).toEqual([200, 'Completed']);
    expect([answer.header('Retry-After'), answer.header('Location')]).toEqual([null, null]);
    expect(answer.header('Content-Type')).toMatch(/^application\/json\b/);
  });

  it('is not cacheable with a result or an error, and has explicit cache headers in every case', async () => {
    const app = await startApp(stack, {
      controllers: [ReportsController],
      providers: [
        handlerOf(Report, ({ title }) => {
          if (title === '') throw new Error('<script>');
          return { text: '<script>' };
        }),
      ],
    });
    const [report, failure] = await Promise.all([
      app.post('/reports', { title: 'Bees' }, { Prefer: 'wait=10' }),
      app.post('/reports', { title: '' }, { Prefer: 'wait=10' }),
    ]);
    const { self, result, events } = report.job.links;
    const tag = { 'If-None-Match': (await app.get(self)).header('ETag') as string };
    const ended = [
      report,
      failure,
      await app.get(self),
      await app.get(self, tag),
      await app.get(failure.job.links.self),
    ];
    for (const answer of [...ended, await app.get(result), await app.get(result, tag), await app.get(events)]) {
      expect(answer.header('Cache-Control')).toContain('no-store');
      expect(answer.header('X-Content-Type-Options')).toBe('nosniff');
    }
    const id = { 'X-Async-Request-Id': 'none' };
    const refusals = [
      await app.get(failure.job.links.result),
      await app.get(`/jobs/${UNKNOWN_ID}`),
      await app.get('/jobs/none'),
      await app.delete(self),
      await app.post('/reports', { title: 'Bees' }, id),
    ];
    expect(refusals.map(({ status }) => status)).toEqual([409, 404, 400, 409, 400]);
    for (const answer of refusals) expect(answer.header('X-Content-Type-Options')).toBe('nosniff');
  });

  it('returns 200 when the job has failed or was canceled', async () => {
    const app = await startApp(stack, failing(new Error('no')));
    const failed = await app.ended((await app.post('/reports', { title: 'Bees' })).job);
    expect([failed.status, failed.job.status]).toEqual([200, 'Failed']);
    const { id } = await app.jobs.submit(Report, { title: 'later' }, { delayMs: 60_000 });
    await app.jobs.cancel(id);
    const canceled = await app.get(`/jobs/${id}`);
    expect([canceled.status, canceled.job.status]).toEqual([200, 'Canceled']);
  });

  it('returns 200 for unfinished jobs with unfinishedStatus 200', async () => {
    const app = await startApp(stack, { ...ACCEPTING, options: { role: 'api', http: { unfinishedStatus: 200 } } });
    const accepted = await app.post('/reports', { title: 'Bees' });
    const answer = await app.get(accepted.job.links.self);
    expect([accepted.status, answer.status, answer.job.status]).toEqual([202, 200, 'Queued']);
    expect(answer.header('Retry-After')).toBe('1');
    expect((await app.get(accepted.job.links.result)).status).toBe(202);
  });

  it('returns 404 JOB_NOT_FOUND for an unknown job, as a problem', async () => {
    const app = await startApp(stack, ACCEPTING);
    const answer = await app.get(`/jobs/${UNKNOWN_ID}?verbose=1`);
    expect(answer.refusal).toEqual(refused(404, 'JOB_NOT_FOUND'));
    expect([answer.header('Cache-Control'), answer.header('Vary')]).toEqual(['private, no-cache', 'Prefer']);
    expect(answer.body).toEqual({
      type: 'urn:async-endpoints:problem:job-not-found',
      title: 'There is no such job.',
      status: 404,
      detail: 'There is no such job.',
      instance: `/jobs/${UNKNOWN_ID}`,
      code: 'JOB_NOT_FOUND',
    });
  });

  it('returns 404 for a job that was purged after its retention', async () => {
    const app = await startApp(stack, {
      controllers: [ReportsController],
      providers: [ReportHandler],
      options: { jobs: { retention: { completedMs: 0 } }, recovery: { sweepIntervalMs: 10 } },
    });
    const { job } = await app.post('/reports', { title: 'Bees' });
    await vi.waitFor(async () => {
      expect((await app.get(job.links.self)).refusal).toEqual(refused(404, 'JOB_NOT_FOUND'));
    });
  });

  it.each(['17', 'undefined', `${UNKNOWN_ID}x`, '00000000-0000-0000-0000-000000000000', '%20'])(
    'returns 400 INVALID_JOB_ID for the id %s, like result and cancel',
    async (id) => {
      const app = await startApp(stack, ACCEPTING);
      for (const answer of [
        await app.get(`/jobs/${id}`),
        await app.get(`/jobs/${id}/result`),
        await app.delete(`/jobs/${id}`),
      ]) {
        expect(answer.refusal).toEqual(refused(400, 'INVALID_JOB_ID'));
      }
    },
  );

  it('answers HEAD like GET, without a body', async () => {
    const app = await startApp(stack, ACCEPTING);
    const { job } = await app.post('/reports', { title: 'Bees' });
    const get = await app.get(job.links.self);
    const head = await app.send('HEAD', job.links.self);
    const unknown = await app.send('HEAD', `/jobs/${UNKNOWN_ID}`);

    expect([head.status, head.text, unknown.status, unknown.text]).toEqual([202, '', 404, '']);
    for (const name of ['Location', 'Retry-After', 'Content-Type', 'Content-Length', 'Cache-Control']) {
      expect([name, head.header(name)]).toEqual([name, get.header(name)]);
    }
  });
});

describe.each(STACKS)('GET /jobs/{id}/result, on %s', (stack) => {
  it('returns 202 with the job and Retry-After while it is unfinished', async () => {
    const app = await startApp(stack, ACCEPTING);
    const { job } = await app.post('/reports', { title: 'Bees' });
    const answer = await app.get(job.links.result);
    expect([answer.status, answer.job.status, answer.header('Retry-After')]).toEqual([202, 'Queued', '1']);
    expect(answer.header('Location')).toBeNull();
  });

  it.each([
    { text: 'About Bees' },
    [1, 2, 3],
    [],
    'a text',
    '"a quoted text"',
    '<script>alert(1)</script>',
    '',
    42,
    0,
    true,
    false,
  ])('returns 200 with the bare result as JSON: %j', async (result) => {
    const app = await startApp(stack, echoing(result));
    const { job } = await app.post('/echo');
    expect((await app.ended(job)).job.result).toEqual(result);
    const answer = await app.get(job.links.result);
    expect(answer.status).toBe(200);
    expect(answer.header('Content-Type')).toMatch(/^application\/json\b/);
    expect(answer.body).toEqual(result);
    expect(answer.header('Cache-Control')).toBe('private, no-store');
    expect(answer.header('X-Content-Type-Options')).toBe('nosniff');
  });

  it.each([null, undefined])('returns 204 when the handler returned %s, which is a success', async (result) => {
    const app = await startApp(stack, echoing(result));
    const { job } = await app.post('/echo');
    expect((await app.ended(job)).job).toMatchObject({ status: 'Completed', result: null, retryCount: 0 });
    const answer = await app.get(job.links.result);
    expect([answer.status, answer.text]).toEqual([204, '']);
  });

  it('returns 409 JOB_FAILED with the error of a failed job', async () => {
    const error = new PermanentJobError('no such template', { code: 'NO_TEMPLATE', details: { id: 7 } });
    const app = await startApp(stack, failing(error));
    const { job } = await app.post('/reports', { title: 'Bees' });
    await app.ended(job);
    const answer = await app.get(job.links.result);
    expect(answer.refusal).toEqual(refused(409, 'JOB_FAILED'));
    expect(answer.problem.error).toEqual({ code: 'NO_TEMPLATE', message: 'no such template', details: { id: 7 } });
    expect(answer.problem.instance).toBe(job.links.result);
  });

  it('returns 410 JOB_CANCELED for a canceled job', async () => {
    const app = await startApp(stack, ACCEPTING);
    const { job } = await app.post('/reports', { title: 'Bees' });
    await app.delete(job.links.self);
    expect((await app.get(job.links.result)).refusal).toEqual(refused(410, 'JOB_CANCELED'));
  });

  it('returns 404 JOB_NOT_FOUND for an unknown job', async () => {
    const app = await startApp(stack, ACCEPTING);
    expect((await app.get(`/jobs/${UNKNOWN_ID}/result`)).refusal).toEqual(refused(404, 'JOB_NOT_FOUND'));
  });
});

@Injectable()
class StaffGuard implements CanActivate {
  canActivate(context: Parameters<CanActivate['canActivate']>[0]) {
    return context.switchToHttp().getRequest<{ headers: Record<string, string> }>().headers['x-staff'] === 'yes';
  }
}

describe.each(STACKS)('The status routes, on %s', (stack) => {
  it('are guarded by the option guards, which does not apply to the endpoints', async () => {
    const app = await startApp(stack, { ...ACCEPTING, options: { role: 'api', http: { guards: [StaffGuard] } } });
    const { job, status } = await app.post('/reports', { title: 'Bees' });
    expect(status).toBe(202);
    for (const [method, path] of [
      ['GET', job.links.self],
      ['GET', job.links.result],
      ['DELETE', job.links.self],
    ] as const) {
      expect((await app.send(method, path)).status).toBe(403);
      expect((await app.send(method, path, { headers: { 'X-Staff': 'yes' } })).status).not.toBe(403);
    }
  });

  it('accept an instance of a guard', async () => {
    const guard: CanActivate = { canActivate: () => false };
    const app = await startApp(stack, { ...ACCEPTING, options: { role: 'api', http: { guards: [guard] } } });
    expect((await app.get(`/jobs/${UNKNOWN_ID}`)).status).toBe(403);
  });

  it('run guards before they read the store: an unknown job is 403 like a known one', async () => {
    const app = await startApp(stack, { ...ACCEPTING, options: { role: 'api', http: { guards: [StaffGuard] } } });
    const { job } = await app.post('/reports', { title: 'Bees' });
    const unknown = await app.get(`/jobs/${UNKNOWN_ID}`);
    const known = await app.get(job.links.self);
    expect([unknown.status, unknown.body]).toEqual([known.status, known.body]);
  });

  it('accept other decorators: an interceptor, a header', async () => {
    const wrap = {
      intercept: (_: unknown, next: CallHandler) => next.handle().pipe(map((data) => ({ data }))),
    };
    const app = await startApp(stack, {
      ...ACCEPTING,
      options: { role: 'api', http: { decorators: [UseInterceptors(wrap)] } },
    });
    const { job } = await app.post('/reports', { title: 'Bees' });
    const answer = await app.get(job.links.self);
    expect([answer.status, answer.body]).toEqual([202, { data: job }]);
    expect((await app.get(`/jobs/${UNKNOWN_ID}`)).refusal).toEqual(refused(404, 'JOB_NOT_FOUND'));
  });

  it('do not exist with statusRoutes: false, and submissions still work', async () => {
    const app = await startApp(stack, { ...ACCEPTING, options: { role: 'api', http: { statusRoutes: false } } });
    const { job, status } = await app.post('/reports', { title: 'Bees' });
    expect(status).toBe(202);
    expect((await app.get(`/jobs/${job.id}`)).status).toBe(404);
    expect((await app.delete(`/jobs/${job.id}`)).status).toBe(404);
    expect((await app.jobs.find(job.id))?.status).toBe('Queued');
  });

  it("do not exist in role 'worker'", async () => {
    const app = await startApp(stack, { providers: [ReportHandler], options: { role: 'worker' } });
    const { id } = await app.jobs.submit(Report, { title: 'Bees' });
    expect((await app.jobs.waitFor(id)).status).toBe('Completed');
    expect((await app.get(`/jobs/${id}`)).status).toBe(404);
  });

  it('are only those of the contract, without a list of jobs', async () => {
    const app = await startApp(stack, ACCEPTING);
    const { job } = await app.post('/reports', { title: 'Bees' });
    for (const [method, path] of [
      ['GET', '/jobs'],
      ['GET', '/jobs/'],
      ['POST', job.links.self],
      ['PUT', job.links.self],
      ['PATCH', job.links.self],
      ['DELETE', '/jobs'],
      ['DELETE', job.links.result],
    ] as const) {
      expect([method, path, (await app.send(method, path)).status]).toEqual([method, path, 404]);
    }
  });
});
