import { type CanActivate, Injectable, Module, UseGuards } from '@nestjs/common';
import { LazyModuleLoader, NestFactory } from '@nestjs/core';
import { AsyncEndpointsModule, AsyncHandler, type HttpRequest, MemoryJobStore } from 'nestjs-async-endpoints';
import { refused } from './answer.js';
import { LogBook } from './log-book.js';
import { ACCEPTING, handlerOf, Report, ReportHandler, ReportsController, UNKNOWN_ID } from './reports.js';
import { ADAPTERS, type AppParts, bootError, startApp } from './start-app.js';

const OPEN_TO_ALL = 'Whoever knows the id of a job can read and cancel it under /jobs';

@Injectable()
class Doors {
  readonly areOpen = false;
}

@Module({ providers: [Doors], exports: [Doors] })
class DoorsModule {}

@Injectable()
class DoorGuard implements CanActivate {
  constructor(private readonly doors: Doors) {}

  canActivate(): boolean {
    return this.doors.areOpen;
  }
}

const closed: CanActivate = { canActivate: () => false };

async function logOf(adapter: (typeof ADAPTERS)[number], parts: AppParts): Promise<string> {
  return (await startApp(adapter, parts)).log.text;
}

describe.each(ADAPTERS)('Access to jobs, on %s', (adapter) => {
  it('without guards or owner is logged at boot in production', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    onTestFinished(() => void vi.unstubAllEnvs());
    const withHttp = (http: object): AppParts => ({ ...ACCEPTING, options: { role: 'api', http } });
    expect(await logOf(adapter, ACCEPTING)).toContain(OPEN_TO_ALL);
    for (const http of [
      { owner: () => null },
      { guards: [closed] },
      { decorators: [UseGuards(closed)] },
      { statusRoutes: false },
    ])
      expect(await logOf(adapter, withHttp(http))).not.toContain(OPEN_TO_ALL);
    const guarded = {
      ...ACCEPTING,
      configure: (nest: { useGlobalGuards(guard: CanActivate): unknown }) => void nest.useGlobalGuards(closed),
    };
    expect(await logOf(adapter, guarded)).not.toContain(OPEN_TO_ALL);
  });

  it('without guards or owner is not logged elsewhere', async () => {
    expect(await logOf(adapter, ACCEPTING)).not.toContain(OPEN_TO_ALL);
  });

  it('can be decided by guards with dependencies from imports', async () => {
    const app = await startApp(adapter, {
      controllers: [ReportsController],
      asyncEndpoints: [
        AsyncEndpointsModule.forRoot({ role: 'api', imports: [DoorsModule], http: { guards: [DoorGuard] } }),
      ],
    });
    expect((await app.get(`/jobs/${UNKNOWN_ID}`)).status).toBe(403);
  });

  it('with an owner function that reads a missing user is a 500, and the log states what to do', async () => {
    const owner = (request: HttpRequest & { user: { id: string } }) => request.user.id;
    const app = await startApp(adapter, { ...ACCEPTING, options: { role: 'api', http: { owner } } });
    for (const answer of [await app.post('/reports', { title: 'Bees' }), await app.get(`/jobs/${UNKNOWN_ID}`)]) {
      expect(answer.refusal).toEqual(refused(500, 'INTERNAL_ERROR'));
      expect(answer.problem.detail).toBe('It could not be found out who sent the request.');
    }
    expect(app.log.text).toContain('http.owner threw TypeError');
    expect(app.log.text).toContain('is what it reads set by a guard of this route?');
    expect(await app.all()).toEqual([]);
  });
});

describe.each(ADAPTERS)('An application with a likely mistake, on %s', (adapter) => {
  it("logs a warning for role 'api' on the memory store", async () => {
    expect(await logOf(adapter, ACCEPTING)).toContain('role is "api", but jobs are in the memory of this process');
    const whole = { ...ACCEPTING, providers: [ReportHandler], options: {} };
    expect(await logOf(adapter, whole)).not.toContain('in the memory of this process');
  });

  it("logs a warning for role 'worker' with mapped endpoints", async () => {
    const parts: AppParts = { ...ACCEPTING, providers: [ReportHandler], options: { role: 'worker' } };
    expect(await logOf(adapter, parts)).toContain('role is "worker", but ReportsController.create accepts jobs');
  });

  it('logs a warning with the similar name of an endpoint for an unused handler', async () => {
    @AsyncHandler('Raport')
    class Misspelt {
      handle() {}
    }
    expect(await bootError(adapter, { controllers: [ReportsController], providers: [Misspelt] })).toContain(
      'There is a handler for "Raport": did you mean that?',
    );
    const parts: AppParts = { controllers: [ReportsController], providers: [ReportHandler, Misspelt] };
    expect(await logOf(adapter, parts)).toContain(
      'No endpoint submits job "Raport", which has a handler. Did you mean "Report"?',
    );
  });

  it('logs a warning for a handler in a lazily loaded module', async () => {
    const Late = handlerOf({ ...Report, name: 'Late' }, () => ({ text: '' }));
    @Module({ providers: [Late] })
    class LateModule {}
    const app = await startApp(adapter, { controllers: [ReportsController], providers: [ReportHandler] });
    @Module({})
    class OtherModule {}
    await app.nest.get(LazyModuleLoader).load(() => LateModule);
    await app.nest.get(LazyModuleLoader).load(() => OtherModule);
    expect(app.log.text.split('handles job "Late", but came with a lazily loaded module')).toHaveLength(2);
    expect(app.log.text).toContain('Import that module in a module of the application.');
  });

  it('logs a warning for a second copy of the library, and refuses its endpoints', async () => {
    vi.resetModules();
    const copy = (await import('nestjs-async-endpoints')) as { AsyncEndpointsModule: unknown };
    expect(copy.AsyncEndpointsModule).not.toBe(AsyncEndpointsModule);
    expect(await logOf(adapter, { ...ACCEPTING, options: { role: 'api', store: new MemoryJobStore() } })).toContain(
      'copies of nestjs-async-endpoints are loaded in this process',
    );
    const { ReportsController: Foreign } = (await import('./reports.js')) as {
      ReportsController: typeof ReportsController;
    };
    expect(await bootError(adapter, { ...ACCEPTING, controllers: [Foreign] })).toContain(
      'ReportsController.create has the @AsyncEndpoint of another copy of nestjs-async-endpoints',
    );
  });
});

it('A worker without HTTP logs no warning for endpoints', async () => {
  const log = new LogBook();
  @Module({
    imports: [AsyncEndpointsModule.forRoot({ role: 'worker' })],
    controllers: [ReportsController],
    providers: [ReportHandler],
  })
  class AppModule {}
  const worker = await NestFactory.createApplicationContext(AppModule, { logger: log });
  await worker.close();
  expect(log.text).not.toContain('role is "worker"');
});
