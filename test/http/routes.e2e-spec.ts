import { Body, Controller, Delete, Get, Post, RequestMethod, VERSION_NEUTRAL, VersioningType } from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import { AsyncEndpoint, AsyncEndpointsModule } from 'nestjs-async-endpoints';
import { EventStream } from './event-stream.js';
import { ACCEPTING, Report, ReportHandler, type ReportRequest, ReportsController } from './reports.js';
import { ADAPTERS, type AppParts, bootError, startApp } from './start-app.js';

const API = { role: 'api' } as const;

@Controller('jobs')
class JobsController {
  @Get()
  list() {
    return ['mine'];
  }

  @Get(':id')
  find() {
    return 'mine';
  }
}

@Controller('jobs')
class ListController {
  @Get()
  list() {
    return ['mine'];
  }

  @Post(':id/applications')
  apply() {
    return 'applied';
  }
}

@Controller('jobs')
class StatisticsController {
  @Get('statistics')
  statistics() {
    return 'mine';
  }
}

@Controller()
class DeletingController {
  @Delete('jobs/:name')
  remove() {
    return 'mine';
  }
}

@Controller({ path: 'jobs', version: '1' })
class VersionedController {
  @Get(':id')
  find() {
    return 'mine';
  }
}

describe.each(ADAPTERS)("The application's own routes, on %s", (adapter) => {
  it.each([
    [JobsController, 'JobsController.find (GET /jobs/:id)'],
    [StatisticsController, 'StatisticsController.statistics (GET /jobs/statistics)'],
    [DeletingController, 'DeletingController.remove (DELETE /jobs/:name)'],
    [VersionedController, 'VersionedController.find (GET /jobs/:id)'],
  ])('are refused at boot when they collide with the status routes: %o', async (controller, where) => {
    expect(await bootError(adapter, { controllers: [controller], options: API })).toBe(
      `INVALID_OPTION: http.path is "jobs", but ${where} is in the way of the status routes there. Give http.path another value, ` +
        'such as "async-jobs".',
    );
  });

  it('may be beside the status routes, or in their place when those have another path', async () => {
    const beside = await startApp(adapter, { controllers: [ReportsController, ListController], options: API });
    expect((await beside.get('/jobs')).body).toEqual(['mine']);
    const path = await startApp(adapter, {
      controllers: [ReportsController, JobsController],
      options: { ...API, http: { path: 'async-jobs' } },
    });
    const { job } = await path.post('/reports', { title: 'Bees' });
    expect([job.links.self, (await path.get('/jobs/1')).text]).toEqual([`/async-jobs/${job.id}`, 'mine']);
    const versioned = await startApp(adapter, {
      controllers: [VersionedController],
      options: API,
      configure: (nest) => nest.enableVersioning({ type: VersioningType.URI }),
    });
    expect((await versioned.get('/v1/jobs/1')).text).toBe('mine');
  });
});

@Controller('tenants/:tenant')
class TenantController {
  @Post('reports')
  @AsyncEndpoint(Report)
  create(@Body() request: ReportRequest) {
    return request;
  }
}

describe.each(ADAPTERS)('Location and links, on %s', (adapter) => {
  const located: [string, string, string, AppParts][] = [
    [
      'a global prefix',
      '/acme%20&%20co/api/reports',
      '/acme%20%26%20co/api/jobs',
      { controllers: [ReportsController], configure: (nest) => nest.setGlobalPrefix(':tenant/api') },
    ],
    [
      'a path of the RouterModule',
      '/tenants/acme/reports',
      '/tenants/acme/jobs',
      {
        controllers: [TenantController],
        imports: [RouterModule.register([{ path: 'tenants/:tenant', module: AsyncEndpointsModule }])],
      },
    ],
  ];

  it.each(located)('fill the parameters of %s from the request', async (_where, submitTo, base, parts) => {
    const app = await startApp(adapter, { ...parts, providers: [ReportHandler] });
    const { job, headers } = await app.post(submitTo, { title: 'Bees' });
    expect(job.links.self).toBe(`${base}/${job.id}`);
    expect(headers.get('Location')).toBe(job.links.self);
    const { job: ended } = await app.ended(job);
    expect([ended.status, ended.links]).toEqual(['Completed', job.links]);
    expect((await app.get(job.links.result)).body).toEqual({ text: 'About Bees' });
    const stream = await EventStream.open(app, job.links.events);
    expect((await stream.nextJob())?.job.links).toEqual(job.links);
  });

  it('fill them also on a route that is excluded from the prefix', async () => {
    const app = await startApp(adapter, {
      ...ACCEPTING,
      configure: (nest) =>
        nest.setGlobalPrefix(':tenant/api', { exclude: [{ path: 'jobs/:id', method: RequestMethod.GET }] }),
    });
    const { job } = await app.post('/acme/api/reports', { title: 'Bees' });
    expect(job.links).toEqual({
      self: `/jobs/${job.id}`,
      result: `/acme/api/jobs/${job.id}/result`,
      events: `/acme/api/jobs/${job.id}/events`,
    });
    expect((await app.get(job.links.self)).status).toBe(202);
  });

  it.each([
    ['header', { type: VersioningType.HEADER, header: 'X-Version' }],
    ['media type', { type: VersioningType.MEDIA_TYPE, key: 'v=' }],
    ['custom', { type: VersioningType.CUSTOM, extractor: () => '1' }],
    ['URI with a default', { type: VersioningType.URI, defaultVersion: VERSION_NEUTRAL }],
  ] as const)('can be followed under %s versioning', async (_type, versioning) => {
    const app = await startApp(adapter, { ...ACCEPTING, configure: (nest) => nest.enableVersioning(versioning) });
    const { job } = await app.post('/reports', { title: 'Bees' });
    expect(job.links.self).toBe(`/jobs/${job.id}`);
    expect((await app.get(job.links.self)).status).toBe(202);
  });
});
