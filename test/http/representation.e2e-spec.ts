import { RequestMethod, VersioningType } from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import { AsyncEndpointsModule, RetryJobError } from 'nestjs-async-endpoints';
import { Gate } from './gate.js';
import { ACCEPTING, handlerOf, HeldReport, Report, ReportHandler, ReportsController } from './reports.js';
import { STACKS, type AppParts, startApp } from './start-app.js';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe.each(STACKS)('The representation of a job, on %s', (stack) => {
  it('has exactly the keys of the contract, in order', async () => {
    const app = await startApp(stack, ACCEPTING);
    const { job } = await app.post('/reports', { title: 'Bees' });

    expect(Object.keys(job)).toEqual(
      (
        'id,name,status,retryCount,maxRetries,createdAt,startedAt,completedAt,lastUpdatedAt,' +
        'progress,result,error,links'
      ).split(','),
    );
    expect(job).toEqual({
      id: expect.stringMatching(/^[\da-f-]{36}$/) as string,
      name: 'Report',
      status: 'Queued',
      retryCount: 0,
      maxRetries: 3,
      createdAt: expect.stringMatching(ISO) as string,
      startedAt: null,
      completedAt: null,
      lastUpdatedAt: job.createdAt,
      progress: null,
      result: null,
      error: null,
      links: { self: `/jobs/${job.id}`, result: `/jobs/${job.id}/result`, events: `/jobs/${job.id}/events` },
    });
  });

  it('has ISO times, the result and no error when completed', async () => {
    const app = await startApp(stack, { controllers: [ReportsController], providers: [ReportHandler] });
    const { job } = await app.ended((await app.post('/reports', { title: 'Bees' })).job);

    expect(job).toMatchObject({ status: 'Completed', result: { text: 'About Bees' }, error: null });
    expect([job.createdAt, job.startedAt, job.completedAt, job.lastUpdatedAt]).toEqual(
      Array(4).fill(expect.stringMatching(ISO)),
    );
  });

  it('has the progress of a running job', async () => {
    const reported = new Gate();
    const finish = new Gate();
    const Handler = handlerOf(Report, async (_request, context) => {
      await context.progress(0.42, 'parsed 4200 of 10000 rows');
      reported.open();
      await finish.opened;
      return { text: '' };
    });
    const app = await startApp(stack, { controllers: [ReportsController], providers: [Handler] });
    const { job } = await app.post('/reports', { title: 'Bees' });
    await reported.opened;

    expect((await app.get(job.links.self)).job).toMatchObject({
      status: 'InProgress',
      progress: { fraction: 0.42, message: 'parsed 4200 of 10000 rows' },
    });
    finish.open();
  });

  it('has the error while the job waits for a retry, and none after it completes', async () => {
    let attempts = 0;
    const Handler = handlerOf(Report, () => {
      if (++attempts === 1) throw new RetryJobError('busy', 60_000, { code: 'UPSTREAM_BUSY', details: { queue: 7 } });
      return { text: 'at last' };
    });
    const app = await startApp(stack, { controllers: [ReportsController], providers: [Handler] });
    const { job } = await app.post('/reports', { title: 'Bees' });
    const waiting = await vi.waitFor(async () => {
      const answer = await app.get(job.links.self);
      expect(answer.job.status).toBe('Scheduled');
      return answer;
    });

    expect(waiting.status).toBe(202);
    expect(waiting.job).toMatchObject({
      retryCount: 1,
      error: { code: 'UPSTREAM_BUSY', message: 'busy', details: { queue: 7 } },
    });
    await app.jobs.cancel(job.id);
    await app.jobs.rerun(job.id);
    expect((await app.ended(job)).job).toMatchObject({ status: 'Completed', error: null });
  });

  it('has the failed attempts with http.showAttempts, without workers and internal details', async () => {
    let attempts = 0;
    const Handler = handlerOf(Report, () => {
      if (++attempts === 1) throw new RetryJobError('busy', 0, { code: 'UPSTREAM_BUSY', details: { queue: 7 } });
      if (attempts === 2) throw new Error('connect ECONNREFUSED db-1:5432');
      return { text: 'at last' };
    });
    const app = await startApp(stack, {
      controllers: [ReportsController],
      providers: [Handler],
      options: { http: { showAttempts: true }, jobs: { retryDelayBaseMs: 0 } },
    });
    const { job } = await app.ended((await app.post('/reports', { title: 'Bees' })).job);

    const attempt = { startedAt: expect.stringMatching(ISO) as string, endedAt: expect.stringMatching(ISO) as string };
    const internal = { code: 'ERROR', message: 'The job failed because of an internal error.' };
    expect(job.failedAttempts).toEqual([
      { number: 1, ...attempt, outcome: 'retry', error: { code: 'UPSTREAM_BUSY', message: 'busy' } },
      { number: 2, ...attempt, outcome: 'retry', error: internal },
    ]);
    const found = await app.jobs.find(job.id);
    expect(found?.failedAttempts.map(({ worker, error }) => [typeof worker, error.message])).toEqual([
      ['string', 'busy'],
      ['string', 'connect ECONNREFUSED db-1:5432'],
    ]);
  });

  it('has no internal properties in a copy by a response factory', async () => {
    const Handler = handlerOf(Report, () => {
      throw new Error('connect ECONNREFUSED db-1:5432');
    });
    const app = await startApp(stack, {
      controllers: [ReportsController],
      providers: [Handler],
      options: {
        jobs: { defaultMaxRetries: 0 },
        response: { jobStatus: (job, { reply }) => ({ ...reply, body: { ...job } }) },
      },
    });
    const answer = await app.ended((await app.post('/reports', { title: 'Bees' })).job);
    expect(answer.text).toContain('"status":"Failed"');
    expect(answer.text).not.toContain('ECONNREFUSED');
    expect(answer.text).not.toContain('worker');
  });

  it('has the code, message and details of its error, and no stack', async () => {
    const Handler = handlerOf(Report, () => {
      throw Object.assign(new TypeError('no such template'), { code: 'NO_TEMPLATE', expose: true });
    });
    const app = await startApp(stack, {
      controllers: [ReportsController],
      providers: [Handler],
      options: { jobs: { defaultMaxRetries: 0 } },
    });
    const answer = await app.ended((await app.post('/reports', { title: 'Bees' })).job);

    expect(answer.job).toMatchObject({
      status: 'Failed',
      result: null,
      error: { code: 'NO_TEMPLATE', message: 'no such template' },
    });
    expect(answer.text).not.toContain('e2e-spec');
    expect(app.log.text).toContain('representation.e2e-spec'); // the log has it
  });

  it('has only the code of an internal error, and operators see all of it', async () => {
    const Handler = handlerOf(Report, () => {
      throw Object.assign(new Error('connect ECONNREFUSED 10.1.2.3:5432'), { code: 'ECONNREFUSED' });
    });
    const app = await startApp(stack, {
      controllers: [ReportsController],
      providers: [Handler],
      options: { jobs: { defaultMaxRetries: 0 } },
    });
    const answer = await app.ended((await app.post('/reports', { title: 'Bees' })).job);
    const error = { code: 'ECONNREFUSED', message: 'The job failed because of an internal error.' };
    expect(answer.job.error).toEqual(error);
    const result = await app.get(`/jobs/${answer.job.id}/result`);
    expect(JSON.parse(result.text)).toMatchObject({ code: 'JOB_FAILED', error });
    expect(answer.text + result.text).not.toContain('10.1.2.3');
    expect((await app.jobs.find(answer.job.id))?.error?.message).toBe('connect ECONNREFUSED 10.1.2.3:5432');
    expect(app.log.text).toContain('connect ECONNREFUSED 10.1.2.3:5432');
  });

  it('never shows payload, headers, route and query values, owner, worker or fence', async () => {
    const held = new HeldReport();
    const app = await startApp(stack, {
      controllers: [ReportsController],
      providers: [held.Handler],
      options: { http: { owner: () => 'owner-in-hiding' }, worker: { workerId: 'worker-in-hiding' } },
    });
    const sent = { title: 'title-in-hiding' };
    const headers = { 'User-Agent': 'agent-in-hiding', 'X-Async-Request-Id': '11111111-2222-4333-8444-555555555555' };
    const accepted = await app.post('/reports?from=query-in-hiding', sent, headers);
    await held.started.opened;
    const running = await app.get(accepted.job.links.self);
    held.finish.open({ text: 'done' });
    const answers = [accepted, running, await app.ended(accepted.job), await app.get(accepted.job.links.result)];

    for (const { text } of answers) expect(text).not.toMatch(/in-hiding|fingerprint|fence|token|lease|retention/);
  });
});

describe.each(STACKS)('The links of a job, on %s, can be followed', (stack) => {
  const located: [where: string, self: RegExp, parts: AppParts & { submitTo?: string }][] = [
    ['by default', /^\/jobs\/[^/]+$/, {}],
    [
      'below a global prefix',
      /^\/api\/v9\/jobs\/[^/]+$/,
      { submitTo: '/api/v9/reports', configure: (app) => app.setGlobalPrefix('api/v9') },
    ],
    [
      'excluded from the global prefix',
      /^\/jobs\/[^/]+$/,
      { configure: (app) => app.setGlobalPrefix('api', { exclude: ['reports', 'jobs/*path'] }) },
    ],
    [
      'where only the status route is excluded from the global prefix',
      /^\/jobs\/[^/]+$/,
      {
        configure: (app) =>
          app.setGlobalPrefix('api', { exclude: ['reports', { path: 'jobs/:id', method: RequestMethod.GET }] }),
      },
    ],
    [
      'below a global prefix that excludes other routes and methods only',
      /^\/api\/jobs\/[^/]+$/,
      {
        configure: (app) =>
          app.setGlobalPrefix('api', {
            exclude: ['reports', 'reports/jobs/:id', { path: 'jobs/:id', method: RequestMethod.POST }],
          }),
      },
    ],
    [
      'under URI versioning, neutral by default',
      /^\/jobs\/[^/]+$/,
      { configure: (app) => app.enableVersioning({ type: VersioningType.URI }) },
    ],
    [
      'under URI versioning with a version of their own',
      /^\/v2\/jobs\/[^/]+$/,
      {
        options: { http: { version: '2' } },
        configure: (app) => app.enableVersioning({ type: VersioningType.URI }),
      },
    ],
    [
      'under URI versioning with another prefix and several versions',
      /^\/api\/release-3\/jobs\/[^/]+$/,
      {
        options: { http: { version: ['3', '4'] } },
        configure: (app) =>
          app.setGlobalPrefix('api', { exclude: ['reports'] }).enableVersioning({
            type: VersioningType.URI,
            prefix: 'release-',
          }),
      },
    ],
    [
      'versioned and excluded from the global prefix',
      /^\/v2\/jobs\/[^/]+$/,
      {
        options: { http: { version: '2' } },
        configure: (app) =>
          app
            .setGlobalPrefix('api', { exclude: ['reports', 'jobs/*path'] })
            .enableVersioning({ type: VersioningType.URI }),
      },
    ],
    [
      'below a path of the RouterModule',
      /^\/internal\/background\/jobs\/[^/]+$/,
      { imports: [RouterModule.register([{ path: 'internal/background', module: AsyncEndpointsModule }])] },
    ],
    ['under a path of their own', /^\/admin\/tasks\/[^/]+$/, { options: { http: { path: 'admin/tasks' } } }],
  ];

  it.each(located)('%s', async (_where, self, { submitTo = '/reports', options, configure, imports }) => {
    const app = await startApp(stack, {
      controllers: [ReportsController],
      providers: [ReportHandler],
      options,
      imports,
      configure,
    });
    const accepted = await app.post(submitTo, { title: 'Bees' });

    expect(accepted.job.links.self).toMatch(self);
    expect(accepted.header('Location')).toBe(accepted.job.links.self);
    expect((await app.ended(accepted.job)).status).toBe(200);
    expect((await app.get(accepted.job.links.result)).body).toEqual({ text: 'About Bees' });
  });

  it('with the prefix of a gateway', async () => {
    const app = await startApp(stack, {
      ...ACCEPTING,
      options: { role: 'api', http: { publicBasePath: '/shop' } },
      configure: (nest) => nest.setGlobalPrefix('api'),
    });
    const { job, headers } = await app.post('/api/reports', { title: 'Bees' });

    expect(headers.get('Location')).toBe(`/shop/api/jobs/${job.id}`);
    expect(job.links.result).toBe(`/shop/api/jobs/${job.id}/result`);
    expect((await app.get(job.links.self.replace('/shop', ''))).status).toBe(202);
  });

  it.each([
    ['/магазин', '/%D0%BC%D0%B0%D0%B3%D0%B0%D0%B7%D0%B8%D0%BD'],
    ['/a"b\\c', '/a%22b%5Cc'],
    ['/caf%C3%A9', '/caf%C3%A9'],
  ])('are encoded: with the prefix %s, headers and bodies are valid', async (publicBasePath, encoded) => {
    const app = await startApp(stack, { ...ACCEPTING, options: { role: 'api', http: { publicBasePath } } });
    const { status, job, headers } = await app.post('/reports', { title: 'Bees' });

    expect([status, headers.get('Location')]).toEqual([202, `${encoded}/jobs/${job.id}`]);
    expect(job.links.events).toBe(`${encoded}/jobs/${job.id}/events`);
  });

  it('are the same for every reader: a job that is read later has the links of its submission', async () => {
    const app = await startApp(stack, ACCEPTING);
    const { job } = await app.post('/reports', { title: 'Bees' });
    expect((await app.get(job.links.self)).job.links).toEqual(job.links);
  });
});
