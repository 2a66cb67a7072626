import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { type HttpRequest, JobWorker } from 'nestjs-async-endpoints';
import { eventually } from 'nestjs-async-endpoints/testing';
import { ClsModule, ClsService, ClsServiceManager } from 'nestjs-cls';
import { tap } from 'rxjs';
import { EventStream } from './event-stream.js';
import { Gate } from './gate.js';
import { HeldReport, handlerOf, Report, ReportsController } from './reports.js';
import { type RunningApp, type StackName, startApp } from './start-app.js';
import { BEES, PATIENT, WAIT } from './waiting.js';

interface Sighting {
  readonly where: string;
  readonly sent: unknown;
  readonly seen: unknown;
}

/** Which tenant each piece of the application's code saw in its async context, and which one its request named. */
let sightings: Sighting[] = [];

function look(where: string, request: HttpRequest): void {
  sightings.push({ where, sent: request.headers['x-tenant'], seen: ClsServiceManager.getClsService().get('tenant') });
}

function expectOwnContext(...places: string[]): void {
  expect(sightings.filter(({ sent, seen }) => sent !== seen)).toEqual([]);
  expect(places.filter((place) => !sightings.some(({ where }) => where === place))).toEqual([]);
}

@Injectable()
class LookingInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler) {
    const request = context.switchToHttp().getRequest<HttpRequest>();
    return next.handle().pipe(tap(() => look('interceptor', request)));
  }
}

/** An application that looks into its async context wherever its code runs for a request. */
async function startLooking(stack: StackName, Handler: AppHandler): Promise<RunningApp> {
  sightings = [];
  const cls = ClsModule.forRoot({
    global: true,
    middleware: { mount: true, setup: (store, { headers }: HttpRequest) => store.set('tenant', headers['x-tenant']) },
  });
  return startApp(stack, {
    imports: [cls],
    controllers: [ReportsController],
    providers: [Handler, { provide: APP_INTERCEPTOR, useClass: LookingInterceptor }],
    options: {
      worker: { maxConcurrency: 100, drainTimeoutMs: 20_000 },
      http: { ...PATIENT, owner: (request) => (look('owner', request), null) },
      response: {
        jobStatus: (_job, { request, reply }) => (look('jobStatus', request), reply),
        jobSubmitted: (_job, { request, reply }) => (look('jobSubmitted', request), reply),
      },
    },
  });
}

type AppHandler = HeldReport['Handler'];

// Each adapter and each store once: a file of 100 users is dear.
describe.each<StackName>(['Express', 'Fastify and Redis'])('The async context of a request, on %s', (stack) => {
  it('is the own one in each of four event streams of one job', async () => {
    const held = new HeldReport();
    const app = await startLooking(stack, held.Handler);
    const { job } = await app.post('/reports', BEES, { 'X-Tenant': 'E' });
    const streams = await Promise.all(
      ['A', 'B', 'C', 'D'].map((tenant) => EventStream.open(app, job.links.events, { 'X-Tenant': tenant })),
    );
    await Promise.all(streams.map((stream) => stream.nextJob()));
    const context = await held.started.opened;
    await context.progress(0.5);
    await eventually(async () => (await app.jobs.find(job.id))?.progress);
    held.finish.open({ text: 'Bees' });
    for (const stream of streams) while (await stream.nextJob());

    expectOwnContext('jobStatus', 'interceptor', 'owner');
    const ends = sightings.filter(({ where }) => where === 'jobStatus').slice(-4);
    expect(new Set(ends.map(({ seen }) => seen))).toEqual(new Set(['A', 'B', 'C', 'D']));
  });

  it('is kept for 100 concurrent users that submit, wait, and read status and result', async () => {
    const held = new HeldReport();
    const app = await startLooking(stack, held.Handler);
    const users = Array.from({ length: 100 }, (_, number) => ({ 'X-Tenant': `tenant ${number}` }));
    const submitted = Promise.all(users.map((user) => app.post('/reports', BEES, { ...user, ...WAIT })));
    await eventually(() => app.nest.get(JobWorker).running === 100);
    const jobs = await app.all();
    const waited = jobs.flatMap(({ id }, number) =>
      ['', '/result'].map((route) => app.get(`/jobs/${id}${route}`, { ...users[99 - number], ...WAIT })),
    );
    held.finish.open({ text: 'Bees' });
    const answers = [...(await submitted), ...(await Promise.all(waited))];

    expect(answers.map(({ status }) => status)).toEqual(Array(300).fill(200));
    expectOwnContext('jobSubmitted', 'jobStatus', 'interceptor', 'owner');
    expect(new Set(sightings.map(({ seen }) => seen)).size).toBe(100);
  });

  it('is kept when the shutdown ends a wait', async () => {
    const held = new HeldReport();
    const app = await startLooking(stack, held.Handler);
    const { job } = await app.post('/reports', BEES, { 'X-Tenant': 'E' });
    await held.started.opened;
    const [a, b] = ['A', 'B'].map((tenant) => app.get(job.links.self, { 'X-Tenant': tenant, ...WAIT }));
    // Both are found, and then wait: nothing else can be asked of them from outside.
    await eventually(() => sightings.filter(({ where, sent }) => where === 'owner' && sent !== 'E').length === 2);
    const closed = app.close();
    held.finish.open({ text: 'Bees' });
    expect([(await a)?.status, (await b)?.status]).toEqual([200, 200]);
    await closed;
    expectOwnContext('jobStatus', 'interceptor');
  });

  it('of a cancellation does not reach the handler or its abort listeners', async () => {
    const seen: unknown[] = [];
    const cls = ClsServiceManager.getClsService();
    const started = new Gate();
    const aborted = new Gate();
    const Handler = handlerOf(Report, (_request, { signal }) => {
      seen.push(cls.get('tenant'));
      signal.addEventListener('abort', () => {
        seen.push(cls.get('tenant'));
        aborted.open();
      });
      started.open();
      return aborted.opened.then(() => ({ text: '' }));
    });
    const app = await startLooking(stack, Handler);
    const { job } = await app.post('/reports', BEES, { 'X-Tenant': 'A' });
    await started.opened;
    expect((await app.delete(job.links.self, { 'X-Tenant': 'B' })).status).toBe(200);
    await aborted.opened;
    expect(seen).toEqual([undefined, undefined]);
    expect(app.nest.get(ClsService)).toBe(cls);
  });
});
