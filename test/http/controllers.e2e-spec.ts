import { Body, Controller, Inject, Injectable, Module, Post, Scope, Version, VersioningType } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { AsyncEndpoint, AsyncEndpointsModule } from 'nestjs-async-endpoints';
import { Report, ReportHandler, type ReportRequest, ReportsController } from './reports.js';
import { ADAPTERS, startApp } from './start-app.js';
import { Mirror, MirrorHandler, mirroring } from './mirror.js';

describe.each(ADAPTERS)('The method of an async endpoint, in its controller, on %s', (adapter) => {
  it('may be in a request-scoped controller with injected providers', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Visitor {
      constructor(@Inject(REQUEST) readonly request: { headers: Record<string, string> }) {}
    }

    @Controller({ path: 'scoped', scope: Scope.REQUEST })
    class ScopedController {
      constructor(@Inject(Visitor) private readonly visitor: Visitor) {}

      @Post()
      @AsyncEndpoint(Mirror)
      create() {
        return { visitor: this.visitor.request.headers['x-visitor'] };
      }
    }
    const app = await startApp(adapter, {
      controllers: [ScopedController],
      providers: [MirrorHandler, Visitor],
    });
    for (const visitor of ['ann', 'bob']) {
      const { job, status } = await app.post('/scoped', undefined, { 'X-Visitor': visitor });
      expect(status).toBe(202);
      expect((await app.ended(job)).job.result).toEqual({ got: { visitor } });
    }
  });

  it('may be inherited, and overridden', async () => {
    abstract class Base {
      protected abstract readonly name: string;

      @Post('inherited')
      @AsyncEndpoint(Mirror)
      inherited(@Body() body: object): object {
        return { by: this.name, body };
      }

      @Post('overridden')
      @AsyncEndpoint(Mirror)
      overridden(@Body() body: object): object {
        return { by: this.name, body };
      }
    }

    @Controller('one')
    class One extends Base {
      protected readonly name = 'one';
    }

    @Controller('two')
    class Two extends Base {
      protected readonly name = 'two';

      @Post('overridden')
      @AsyncEndpoint(Mirror)
      override overridden(@Body() body: object) {
        return { over: super.overridden(body) };
      }
    }
    const app = await startApp(adapter, mirroring(One, Two));
    const results = [];
    for (const path of ['/one/inherited', '/one/overridden', '/two/inherited', '/two/overridden']) {
      const { job } = await app.post(path, { a: 1 });
      results.push((await app.ended(job)).job.result);
    }
    expect(results).toEqual([
      { got: { by: 'one', body: { a: 1 } } },
      { got: { by: 'one', body: { a: 1 } } },
      { got: { by: 'two', body: { a: 1 } } },
      { got: { over: { by: 'two', body: { a: 1 } } } },
    ]);
  });

  it('may share a controller with another one, for one job or for several', async () => {
    @Controller()
    class TwoRoutesController {
      @Post(['reports', 'accounts'])
      @AsyncEndpoint(Report)
      report(@Body() request: ReportRequest) {
        return request;
      }

      @Post('quick-reports')
      @AsyncEndpoint(Report)
      quick() {
        return { title: 'Haste' };
      }

      @Post('mirror')
      @AsyncEndpoint(Mirror)
      mirror(@Body() body: object) {
        return body;
      }
    }
    const app = await startApp(adapter, {
      controllers: [TwoRoutesController],
      providers: [ReportHandler, MirrorHandler],
    });
    const results = [];
    for (const path of ['/reports', '/accounts', '/quick-reports', '/mirror']) {
      const { job } = await app.post(path, { title: 'Bees' });
      results.push([job.name, (await app.ended(job)).job.result]);
    }
    expect(results).toEqual([
      ['Report', { text: 'About Bees' }],
      ['Report', { text: 'About Bees' }],
      ['Report', { text: 'About Haste' }],
      ['Mirror', { got: { title: 'Bees' } }],
    ]);
  });

  it('may have versions', async () => {
    @Controller({ path: 'reports', version: '1' })
    class VersionedController {
      @Post()
      @AsyncEndpoint(Mirror)
      first() {
        return { version: 1 };
      }

      @Post()
      @Version('2')
      @AsyncEndpoint(Mirror)
      second() {
        return { version: 2 };
      }
    }
    const uri = await startApp(adapter, {
      ...mirroring(VersionedController),
      configure: (nest) => nest.enableVersioning({ type: VersioningType.URI }),
    });
    const header = await startApp(adapter, {
      ...mirroring(VersionedController),
      configure: (nest) => nest.enableVersioning({ type: VersioningType.HEADER, header: 'X-Version' }),
    });
    for (const version of [1, 2]) {
      const { job } = await uri.post(`/v${version}/reports`);
      expect((await uri.ended(job)).job.result).toEqual({ got: { version } });
      const other = await header.post('/reports', undefined, { 'X-Version': `${version}` });
      expect((await header.ended(other.job)).job.result).toEqual({ got: { version } });
    }
  });

  it('may be in any module, or, when AsyncEndpointsModule is not global, in one that imports it', async () => {
    const endpoints = AsyncEndpointsModule.forRoot({ isGlobal: false });
    @Module({ imports: [endpoints], controllers: [ReportsController], providers: [ReportHandler] })
    class FeatureModule {}
    const app = await startApp(adapter, { asyncEndpoints: [], imports: [FeatureModule] });
    const { job, status } = await app.post('/reports', { title: 'Bees' });
    expect(status).toBe(202);
    expect((await app.ended(job)).job.result).toEqual({ text: 'About Bees' });
  });
});
