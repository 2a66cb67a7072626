import { Controller, Inject, Injectable, Module, Post, Scope } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import {
  AsyncEndpoint,
  AsyncEndpointsModule,
  AsyncHandler,
  defineJob,
  JobContext,
  type JobHandler,
  JobStore,
  MemoryJobStore,
} from 'nestjs-async-endpoints';
import { ACCEPTING, handlerOf, Report, ReportHandler, type ReportRequest, ReportsController } from './reports.js';
import { ADAPTERS, type AppParts, bootError, startApp } from './start-app.js';

type Options = NonNullable<AppParts['options']>;

/** Options as untyped JavaScript, or a configuration file, may give them. */
function untyped(options: object): Options {
  return options;
}

describe.each(ADAPTERS)('An application boots, on %s', (adapter) => {
  it('with options from a factory with injected providers', async () => {
    @Injectable()
    class Settings {
      readonly unfinishedStatus = 200;
    }

    @Module({ providers: [Settings], exports: [Settings] })
    class SettingsModule {}

    const store = new MemoryJobStore();
    const app = await startApp(adapter, {
      controllers: [ReportsController],
      asyncEndpoints: [
        AsyncEndpointsModule.forRootAsync({
          role: 'api',
          http: { path: 'tasks' },
          imports: [SettingsModule],
          inject: [Settings],
          useFactory: async ({ unfinishedStatus }: Settings) => ({ store, http: { unfinishedStatus } }),
        }),
      ],
    });
    const answer = await app.post('/reports', { title: 'Bees' });

    expect(answer.header('Location')).toBe(`/tasks/${answer.job.id}`);
    expect((await app.get(answer.job.links.self)).status).toBe(200);
    expect(app.nest.get(JobStore)).toBe(store);
  });

  it('with no options at all', async () => {
    const app = await startApp(adapter, {
      controllers: [ReportsController],
      providers: [ReportHandler],
      asyncEndpoints: [AsyncEndpointsModule.forRoot()],
    });
    const { job } = await app.post('/reports', { title: 'Bees' });
    expect((await app.ended(job)).job.status).toBe('Completed');
  });

  it("without a handler for its endpoints in role 'api'", async () => {
    const app = await startApp(adapter, ACCEPTING);
    expect((await app.post('/reports', { title: 'Bees' })).status).toBe(202);
  });

  it('with one handler class provided by two modules', async () => {
    @Module({ providers: [ReportHandler] })
    class OtherModule {}
    const app = await startApp(adapter, {
      controllers: [ReportsController],
      providers: [ReportHandler],
      imports: [OtherModule],
    });
    const { job } = await app.post('/reports', { title: 'Bees' });
    expect((await app.ended(job)).job.status).toBe('Completed');
  });

  it.each([Scope.REQUEST, Scope.TRANSIENT])(
    'with a handler of scope %s, which gets the JobContext by @Inject(REQUEST)',
    async (scope) => {
      @AsyncHandler(Report, { scope })
      class ScopedHandler implements JobHandler<typeof Report> {
        static made = 0;
        private readonly number = ++ScopedHandler.made;

        constructor(@Inject(REQUEST) private readonly request: JobContext) {}

        handle(_request: ReportRequest, context: JobContext) {
          const same = scope === Scope.TRANSIENT || this.request === context;
          return { text: `${this.number} ${same} ${context instanceof JobContext} ${context.id}` };
        }
      }
      const app = await startApp(adapter, { controllers: [ReportsController], providers: [ScopedHandler] });
      const made = ScopedHandler.made;
      const one = await app.post('/reports', { title: '1' });
      const results = [(await app.ended(one.job)).job.result];
      const two = await app.post('/reports', { title: '2' });
      results.push((await app.ended(two.job)).job.result);
      expect(results).toEqual([
        { text: `${made + 1} true true ${one.job.id}` },
        { text: `${made + 2} true true ${two.job.id}` },
      ]);
    },
  );

  it('with a handler that depends on a request-scoped provider, which gets the JobContext too', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Ledger {
      constructor(@Inject(REQUEST) readonly context: JobContext) {}
    }

    @AsyncHandler(Report)
    class LedgerHandler {
      constructor(@Inject(Ledger) private readonly ledger: Ledger) {}

      handle() {
        return { text: `${this.ledger.context.name} ${this.ledger.context.attempt}` };
      }
    }
    const app = await startApp(adapter, { controllers: [ReportsController], providers: [LedgerHandler, Ledger] });
    const { job } = await app.post('/reports', { title: 'Bees' });
    expect((await app.ended(job)).job.result).toEqual({ text: 'Report 1' });
  });
});

describe.each(ADAPTERS)('An application refuses to boot, on %s', (adapter) => {
  it('with two handlers for one job, naming both', async () => {
    @AsyncHandler(Report)
    class FirstHandler {
      handle() {
        return { text: '' };
      }
    }

    @AsyncHandler('Report')
    class SecondHandler {
      handle() {}
    }
    expect(await bootError(adapter, { providers: [FirstHandler, SecondHandler] })).toBe(
      'INVALID_HANDLER: Job "Report" has two handlers: FirstHandler and SecondHandler.',
    );
  });

  it('with an endpoint without a handler, and states what to do', async () => {
    expect(await bootError(adapter, { controllers: [ReportsController] })).toBe(
      'INVALID_HANDLER: ReportsController.create submits job "Report", which nobody handles. ' +
        "Provide an @AsyncHandler for it, or set role: 'api'.",
    );
  });

  it('with a handler without a method handle', async () => {
    class NoHandler {
      run() {}
    }
    (AsyncHandler('Report') as (target: unknown) => void)(NoHandler);
    expect(await bootError(adapter, { providers: [NoHandler] })).toBe(
      'INVALID_HANDLER: NoHandler handles job "Report" but has no method handle(request, context).',
    );
  });

  it('with the module imported twice', async () => {
    // With the status routes twice Fastify refuses first, in its own words.
    const asyncEndpoints = [
      AsyncEndpointsModule.forRoot({ role: 'api' }),
      AsyncEndpointsModule.forRoot({ http: { statusRoutes: false } }),
    ];
    expect(await bootError(adapter, { asyncEndpoints })).toBe(
      'INVALID_OPTION: AsyncEndpointsModule.forRoot() is imported twice, which would make two workers; import it once.',
    );
  });

  it.each<[string, object, ...string[]]>([
    ['role', { role: 'both' }, '"both"', 'all, api or worker'],
    ['worker.maxConcurrency', { worker: { maxConcurrency: 0 } }, '0', 'an integer from 1 to 10000'],
    ['worker.pollingIntervalMs', { worker: { pollingIntervalMs: '2000' } }, '"2000"', 'an integer from 10'],
    ['worker.version', { worker: { version: 'x'.repeat(101) } }, 'x', 'a text of 0 to 100 characters'],
    ['worker.workerId', { worker: { workerId: '' } }, '""', 'a text of 1 to 200 characters'],
    ['jobs.defaultMaxRetries', { jobs: { defaultMaxRetries: -1 } }, '-1', 'an integer from 0 to 1000'],
    ['jobs.retryCurve', { jobs: { retryCurve: 'steep' } }, '"steep"', 'exponential, linear, fixed or a function'],
    ['jobs.retryJitter', { jobs: { retryJitter: 1.5 } }, '1.5', 'a number from 0 to 1'],
    ['jobs.retention.completed', { jobs: { retention: { completed: 1 } } }, '1', 'completedMs, failedMs, canceledMs'],
    ['jobs.maxQueueSize', { jobs: { maxQueueSize: Number.NaN } }, 'NaN', 'an integer from 1'],
    ['jobs.timeoutMs', { jobs: { timeoutMs: Infinity } }, 'Infinity', 'an integer from 1'],
    ['recovery.enabled', { recovery: { enabled: 'yes' } }, '"yes"', 'true or false'],
    ['http.path', { http: { path: '/jobs/:id' } }, '"/jobs/:id"', 'a path such as jobs or admin/jobs'],
    ['http.publicBasePath', { http: { publicBasePath: 'shop' } }, '"shop"', 'a path such as /shop'],
    ['http.unfinishedStatus', { http: { unfinishedStatus: 201 } }, '201', '200 or 202'],
    ['http.showAttempts', { http: { showAttempts: 'yes' } }, '"yes"', 'true or false'],
    ['http.maxRetryAfterMs', { http: { maxRetryAfterMs: 0 } }, '0', 'an integer from 1000 to 86400000'],
    ['http.maxWaitMs', { http: { maxWaitMs: 1.5 } }, '1.5', 'an integer from 0 to 3600000'],
    ['http.keepAliveMs', { http: { keepAliveMs: '15' } }, '"15"', 'an integer from 1000 to 3600000'],
    ['http.guards', { http: { guards: 'none' } }, '"none"', 'a list of guards'],
    ['http.owner', { http: { owner: 'me' } }, '"me"', 'a function'],
    ['http.captureHeaders', { http: { captureHeaders: ['x y'] } }, 'x y', 'a list of header names'],
    ['response.jobStatus', { response: { jobStatus: {} } }, 'a function'],
    ['jobs', { jobs: 7 }, '7', 'an object'],
    ['worker.batchSize', { worker: { batchSize: 5 } }, '5', 'one of the options that exist: workerId, '],
    ['jobs.maxConcurrentJobs', { jobs: { maxConcurrentJobs: 20 } }, '20', 'one of the options that exist: '],
    [
      'workers',
      { workers: {} },
      'one of the options that exist: store, worker, jobs, recovery, context, response, http',
    ],
  ])('with a wrong %s, naming the option, its value and the expected one', async (name, options, ...parts) => {
    const message = await bootError(adapter, () => ({ ...ACCEPTING, options: untyped({ role: 'api', ...options }) }));
    expect(message.startsWith(`INVALID_OPTION: ${name} is `)).toBe(true);
    for (const part of parts) expect(message).toContain(part);
  });

  it.each(['Authorization', 'cookie', 'X-Api-Key', 'proxy-authorization', 'X-Session-Id', 'x-csrf-token'])(
    'with the credential %s in captureHeaders',
    async (name) => {
      const options = untyped({ role: 'api', http: { captureHeaders: ['accept', name] } });
      const message = await bootError(adapter, () => ({ ...ACCEPTING, options }));
      expect(message).toMatch(/^INVALID_OPTION: http.captureHeaders is .*none of them a credential\.$/);
      expect(message).toContain(name);
    },
  );

  it.each(['path', 'guards', 'statusRoutes', 'version', 'decorators'])(
    'with http.%s in the result of useFactory, and states where it belongs',
    async (name) => {
      const asyncEndpoints = [
        AsyncEndpointsModule.forRootAsync({ useFactory: () => untyped({ http: { [name]: undefined } }) }),
      ];
      const message = await bootError(adapter, { asyncEndpoints });
      expect(message).toContain(`INVALID_OPTION: http.${name} is `);
      expect(message).toContain('expected beside useFactory, not in its result');
    },
  );

  it('with role in the result of useFactory', async () => {
    const asyncEndpoints = [AsyncEndpointsModule.forRootAsync({ useFactory: () => untyped({ role: 'api' }) })];
    expect(await bootError(adapter, { asyncEndpoints })).toContain('INVALID_OPTION: role is "api"');
  });

  it.each<[string, string, object, string]>([
    ['a retry count', 'Odd', { maxRetries: -1 }, 'job "Odd".maxRetries is -1; expected an integer from 0 to 1000.'],
    ['an unknown option', 'Odd', { retries: 3 }, 'job "Odd".retries is 3; expected one of the options that exist: '],
    ['a name', 'odd name', {}, 'the name of job "odd name" is "odd name"; expected letters, digits and . _ : - '],
  ])('with a wrong %s of a job, of a handler or of an endpoint', async (_what, name, options, expected) => {
    const Odd = defineJob(name, options);

    @Controller()
    class OddController {
      @Post('odd')
      @AsyncEndpoint(Odd)
      odd() {}
    }
    const handled = await bootError(adapter, { providers: [handlerOf(Odd, () => {})] });
    const posted = await bootError(adapter, { controllers: [OddController], options: { role: 'api' } });
    expect(handled).toContain(`INVALID_OPTION: ${expected}`);
    expect(posted).toBe(handled);
  });
});
