import { Controller, Get, Module, Post, ValidationPipe } from '@nestjs/common';
import { CacheInterceptor, CacheModule } from '@nestjs/cache-manager';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { AsyncEndpoint, type HttpRequest } from 'nestjs-async-endpoints';
import { EnvelopeInterceptor, http, NoEnvelope } from '../docs/envelope.js';
import { refused } from './answer.js';
import { EventStream } from './event-stream.js';
import { HeldReport, Report, ReportHandler, ReportsController } from './reports.js';
import { ADAPTERS, startApp } from './start-app.js';

const ANN = { 'X-User': 'ann' };
const BOB = { 'X-User': 'bob' };
const WAIT = { Prefer: 'wait=20' };

@Controller('count')
class CountController {
  #count = 0;

  @Get()
  count() {
    return { count: ++this.#count };
  }
}

describe.each(ADAPTERS)('A global CacheInterceptor, on %s', (adapter) => {
  async function startCached(held: HeldReport) {
    @Module({
      imports: [CacheModule.register({ ttl: 60_000 })],
      providers: [{ provide: APP_INTERCEPTOR, useClass: CacheInterceptor }],
    })
    class CachingModule {}
    return startApp(adapter, {
      imports: [CachingModule],
      controllers: [ReportsController, CountController],
      providers: [held.Handler],
      options: { http: { owner: ({ headers }: HttpRequest) => String(headers['x-user']) } },
    });
  }

  it('does not send the job of one client to another', async () => {
    const held = new HeldReport();
    const app = await startCached(held);
    const { job } = await app.post('/reports', { title: 'Bees' }, ANN);
    held.finish.open({ text: 'Secret' });
    await app.ended(job, ANN);
    for (const path of [job.links.self, job.links.result]) {
      expect((await app.get(path, ANN)).text).toContain('Secret');
      expect((await app.get(path, BOB)).refusal).toEqual(refused(404, 'JOB_NOT_FOUND'));
    }
    expect([(await app.get('/count')).body, (await app.get('/count')).body]).toEqual([{ count: 1 }, { count: 1 }]);
  });

  it('does not send an outdated state, and keeps status and headers', async () => {
    const held = new HeldReport();
    const app = await startCached(held);
    const { job } = await app.post('/reports', { title: 'Bees' }, ANN);
    const first = await app.get(job.links.self, ANN);
    const again = await app.get(job.links.self, ANN);
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.header('Retry-After')).not.toBeNull();
    held.finish.open({ text: 'Bees' });
    expect((await app.ended(job, ANN)).job.status).toBe('Completed');
    expect((await app.get(job.links.result, ANN)).body).toEqual({ text: 'Bees' });
  });
});

@Controller('free')
class FreeController {
  @Post()
  @NoEnvelope(true)
  @AsyncEndpoint(Report)
  create() {
    return { title: 'Bees' };
  }
}

describe.each(ADAPTERS)('An interceptor that wraps every response in { data }, on %s', (adapter) => {
  const parts = {
    controllers: [ReportsController, FreeController],
    providers: [ReportHandler, { provide: APP_INTERCEPTOR, useClass: EnvelopeInterceptor }],
  };

  it('wraps the 202, the job and the result, and does not change refusals, 304 and 204', async () => {
    const app = await startApp(adapter, parts);
    const submitted = await app.post('/reports', { title: 'Bees' }, WAIT);
    const { data: job } = submitted.body as { data: typeof submitted.job };
    expect(job).toMatchObject({ status: 'Completed' });
    const status = await app.get(job.links.self);
    expect(status.body).toMatchObject({ data: { id: job.id } });
    expect((await app.get(job.links.result)).body).toEqual({ data: { text: 'About Bees' } });
    const known = await app.get(job.links.self, { 'If-None-Match': String(status.header('ETag')) });
    expect([known.status, known.text]).toEqual([304, '']);
    expect((await app.get('/jobs/17')).refusal).toEqual(refused(400, 'INVALID_JOB_ID'));
  });

  it('with the exceptions of docs/nest.md, does not break event streams and the client', async () => {
    const app = await startApp(adapter, { ...parts, options: { http } });
    const { job } = await app.post('/free', undefined, WAIT);
    expect(job.status).toBe('Completed');
    expect((await app.get(job.links.self)).job.id).toBe(job.id);
    expect((await app.get(job.links.result)).body).toEqual({ text: 'About Bees' });
    const stream = await EventStream.open(app, job.links.events);
    expect(await stream.nextJob()).toMatchObject({ event: 'status', job: { id: job.id, status: 'Completed' } });
  });
});

describe.each(ADAPTERS)('A strict global ValidationPipe, on %s', (adapter) => {
  it('does not break the status routes', async () => {
    const app = await startApp(adapter, {
      controllers: [ReportsController],
      providers: [ReportHandler],
      configure: (nest) =>
        nest.useGlobalPipes(
          new ValidationPipe({
            whitelist: true,
            forbidNonWhitelisted: true,
            forbidUnknownValues: true,
            transform: true,
            transformOptions: { enableImplicitConversion: true },
            validateCustomDecorators: true,
          }),
        ),
    });
    const { job } = await app.post('/reports', { title: 'Bees' }, WAIT);
    expect((await app.get(`${job.links.self}?verbose=1`)).job).toMatchObject({ id: job.id, status: 'Completed' });
    expect((await app.get(job.links.result)).body).toEqual({ text: 'About Bees' });
    const stream = await EventStream.open(app, job.links.events);
    expect((await stream.nextJob())?.job.id).toBe(job.id);
    expect((await app.delete(job.links.self)).refusal).toEqual(refused(409, 'JOB_ALREADY_FINISHED'));
  });
});
