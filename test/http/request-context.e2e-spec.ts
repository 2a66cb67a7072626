import { Body, Controller, Inject, Injectable, Post, Scope } from '@nestjs/common';
import {
  type ContextId,
  ContextIdFactory,
  type ContextIdStrategy,
  type HostComponentInfo,
  REQUEST,
} from '@nestjs/core';
import { ClsModule, ClsService } from 'nestjs-cls';
import {
  AsyncEndpoint,
  AsyncEndpointsModule,
  AsyncHandler,
  defineJob,
  type JobContext,
  type JobHandler,
  JobManager,
  type JobRepresentation,
} from 'nestjs-async-endpoints';
import { of } from 'rxjs';
import { ADAPTERS, bootError, startApp } from './start-app.js';

const Outer = defineJob<{ text: string }, unknown>('Outer');
const Inner = defineJob<void, unknown>('Inner');

@Controller('outer')
class OuterController {
  @Post()
  @AsyncEndpoint(Outer)
  create(@Body() request: { text: string }) {
    return request;
  }
}

/** Reads its context after a wait, and submits a job of its own. */
@AsyncHandler(Outer)
class OuterHandler implements JobHandler<typeof Outer> {
  constructor(
    @Inject(ClsService) private readonly cls: ClsService,
    @Inject(JobManager) private readonly jobs: JobManager,
  ) {}

  async handle(_request: { text: string }, context: JobContext) {
    const { id } = await this.jobs.submit(Inner, undefined);
    const inner = await this.jobs.waitFor(id, { signal: context.signal });
    return { tenant: this.cls.get('tenant'), user: this.cls.get('user'), values: context.values, inner: inner.result };
  }
}

@AsyncHandler(Inner)
class InnerHandler implements JobHandler<typeof Inner> {
  constructor(@Inject(ClsService) private readonly cls: ClsService) {}

  handle() {
    return of(0).pipe(() => of(this.cls.get('tenant')));
  }
}

describe.each(ADAPTERS)('The context of a request in handlers, on %s', (adapter) => {
  const asyncEndpoints = () =>
    AsyncEndpointsModule.forRootAsync({
      inject: [ClsService],
      useFactory: (cls: ClsService) => ({
        worker: { maxConcurrency: 100 },
        context: {
          names: ['tenant', 'user', 'locale'],
          read: (name, request) => (name === 'locale' ? request?.headers['accept-language'] : cls.get<unknown>(name)),
          run: (values, work) => cls.runWith(values, work),
        },
      }),
    });

  it('has the chosen values, for 40 concurrent users, and is passed on to jobs that handlers submit', async () => {
    const setup = (cls: ClsService, { headers }: { headers: Record<string, string> }) => {
      cls.set('tenant', headers['x-tenant']);
      cls.set('user', { name: headers['x-tenant'], apiToken: 'hush' });
      cls.set('other', 'not chosen');
    };
    const app = await startApp(adapter, {
      imports: [ClsModule.forRoot({ global: true, middleware: { mount: true, setup } })],
      asyncEndpoints: [asyncEndpoints()],
      controllers: [OuterController],
      providers: [OuterHandler, InnerHandler],
    });
    await Promise.all(
      Array.from({ length: 40 }, async (_, user) => {
        const headers = { 'x-tenant': `T${user}`, 'accept-language': 'de', prefer: 'wait=20' };
        const { result } = (await app.post('/outer', { text: 'x' }, headers)).body as JobRepresentation;
        const values = { tenant: `T${user}`, user: { name: `T${user}` }, locale: 'de' };
        expect(result).toEqual({ tenant: `T${user}`, user: { name: `T${user}` }, values, inner: `T${user}` });
      }),
    );
  });

  it('refuses names of credentials, and names without a read function, at boot', async () => {
    const context = { names: ['tenant', 'apiToken'], read: () => 1 };
    expect(await bootError(adapter, { options: { context } })).toBe(
      'INVALID_OPTION: context.names is tenant,apiToken; expected a list of names of 1 to 100 characters, none of them ' +
        'a credential.',
    );
    expect(await bootError(adapter, { options: { context: { names: ['tenant'] } } })).toBe(
      'INVALID_OPTION: context.read is undefined; expected a function, because there are context.names.',
    );
  });

  it('fails the job when context.run does not call its function', async () => {
    const app = await startApp(adapter, {
      imports: [ClsModule.forRoot({ global: true })],
      options: { context: { run: () => {} }, jobs: { defaultMaxRetries: 0 } },
      controllers: [OuterController],
      providers: [OuterHandler, InnerHandler],
    });
    const { id, status } = (await app.post('/outer', {}, { prefer: 'wait=20' })).body as JobRepresentation;
    expect(status).toBe('Failed');
    // For operators: the client sees that there was an internal error.
    expect((await app.jobs.find(id))?.error?.message).toBe('context.run did not call the function that it received.');
  });
});

/** As in Nest's documentation of durable providers. */
class TenantStrategy implements ContextIdStrategy {
  readonly #tenants = new Map<string, ContextId>();

  attach(contextId: ContextId, request: { headers: Record<string, string> }) {
    const tenantId = request.headers['x-tenant-id'] as string;
    const subTree = this.#tenants.get(tenantId) ?? ContextIdFactory.create();
    this.#tenants.set(tenantId, subTree);
    return {
      resolve: (info: HostComponentInfo) => (info.isTreeDurable ? subTree : contextId),
      payload: { tenantId },
    };
  }
}

@Injectable({ scope: Scope.REQUEST, durable: true })
class TenantDatabase {
  static opened = 0;
  readonly number = (TenantDatabase.opened += 1);

  constructor(@Inject(REQUEST) readonly request: { tenantId: string }) {}
}

@AsyncHandler(Outer, { scope: Scope.REQUEST, durable: true })
class DurableHandler implements JobHandler<typeof Outer> {
  constructor(@Inject(TenantDatabase) private readonly database: TenantDatabase) {}

  handle() {
    return `${this.database.request.tenantId} ${this.database.number}`;
  }
}

describe.each(ADAPTERS)('Durable providers of handlers, on %s', (adapter) => {
  it('have one instance for each tenant that the ContextIdStrategy finds in the captured headers', async () => {
    ContextIdFactory.apply(new TenantStrategy());
    onTestFinished(() => ContextIdFactory.apply(undefined as never));
    TenantDatabase.opened = 0;
    const app = await startApp(adapter, {
      options: { http: { captureHeaders: ['X-Tenant-Id'] } },
      controllers: [OuterController],
      providers: [DurableHandler, TenantDatabase],
    });
    const results: unknown[] = [];
    for (const tenant of ['A', 'B', 'A', 'B']) {
      const headers = { 'x-tenant-id': tenant, prefer: 'wait=20' };
      results.push(((await app.post('/outer', {}, headers)).body as JobRepresentation).result);
    }
    expect(results).toEqual(['A 1', 'B 2', 'A 1', 'B 2']);
  });
});
