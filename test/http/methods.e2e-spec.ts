import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  Headers,
  HttpCode,
  Inject,
  Injectable,
  Module,
  Param,
  Patch,
  Post,
  Put,
  Scope,
  Sse,
  type Type,
  Version,
  VersioningType,
} from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { AsyncEndpoint, AsyncEndpointsModule, defineJob } from 'nestjs-async-endpoints';
import { from, of } from 'rxjs';
import { handlerOf, Report, ReportHandler, type ReportRequest, ReportsController } from './reports.js';
import { ADAPTERS, type AdapterName, type AppParts, bootError, startApp } from './start-app.js';

/** Its handler returns what it got. */
const Mirror = defineJob<unknown, { got: unknown }>('Mirror');
const MirrorHandler = handlerOf(Mirror, (got) => ({ got: got === undefined ? 'nothing' : got }));

function mirroring(...controllers: Type[]): AppParts {
  return { controllers, providers: [MirrorHandler] };
}

@Controller('returns')
class ReturningController {
  @Post('value')
  @AsyncEndpoint(Mirror)
  value() {
    return { as: 'value' };
  }

  @Post('promise')
  @AsyncEndpoint(Mirror)
  promise() {
    return Promise.resolve({ as: 'promise' });
  }

  @Post('observable')
  @AsyncEndpoint(Mirror)
  observable() {
    return of({ as: 'observable' });
  }

  @Post('observable-of-many')
  @AsyncEndpoint(Mirror)
  many() {
    return from([1, 2, 3]);
  }

  @Post('empty-observable')
  @AsyncEndpoint(Mirror)
  empty() {
    return from([]);
  }

  @Post('nothing')
  @AsyncEndpoint(Mirror)
  nothing() {}

  @Post('null')
  @AsyncEndpoint(Mirror)
  null() {
    return null;
  }

  @Post('text')
  @AsyncEndpoint(Mirror)
  text() {
    return 'text';
  }
}

@Controller('things')
class ThingsController {
  @Put(':id')
  @AsyncEndpoint(Mirror)
  put(@Param('id') id: string, @Body() body?: object) {
    return { put: id, body };
  }

  @Patch(':id')
  @AsyncEndpoint(Mirror)
  patch(@Param('id') id: string, @Body() body?: object) {
    return { patch: id, body };
  }

  @Delete(':id')
  @AsyncEndpoint(Mirror)
  delete(@Param('id') id: string, @Body() body?: object) {
    return { delete: id, body };
  }

  @Post()
  @AsyncEndpoint(Mirror)
  post(@Body() body?: object) {
    return { post: true, body };
  }

  @Get(':id')
  get(@Param('id') id: string) {
    return { id };
  }
}

async function mirrored(adapter: AdapterName, controller: Type, method: string, path: string, body?: unknown) {
  const app = await startApp(adapter, mirroring(controller));
  const accepted = await app.send(method, path, { body });
  expect(accepted.status).toBe(202);
  return ((await app.ended(accepted.job)).job.result as { got: unknown }).got;
}

describe.each(ADAPTERS)('The method of an async endpoint, on %s', (adapter) => {
  it.each([
    ['value', { as: 'value' }],
    ['promise', { as: 'promise' }],
    ['observable', { as: 'observable' }],
    ['observable-of-many', 3],
    ['empty-observable', 'nothing'],
    ['nothing', 'nothing'],
    ['null', null],
    ['text', 'text'],
  ])('may return %s', async (path, got) => {
    expect(await mirrored(adapter, ReturningController, 'POST', `/returns/${path}`)).toEqual(got);
  });

  it.each([
    ['PUT', '/things/7', { put: '7' }],
    ['PATCH', '/things/7', { patch: '7' }],
    ['DELETE', '/things/7', { delete: '7' }],
    ['POST', '/things', { post: true }],
  ])('may be %s %s, with a body and without', async (method, path, got) => {
    const app = await startApp(adapter, mirroring(ThingsController));
    const without = await app.send(method, path);
    const having = await app.send(method, path, { body: { with: 'body' } });
    expect([without.status, having.status]).toEqual([202, 202]);
    expect((await app.ended(having.job)).job.result).toEqual({ got: { ...got, body: { with: 'body' } } });
    expect((await app.ended(without.job)).job.result).toMatchObject({ got });
    expect((await app.get('/things/7')).status).toBe(200); // its neighbour answers at once
  });

  it('keeps its parameters where some have defaults, and gets no more than them', async () => {
    @Controller('defaults')
    class DefaultsController {
      @Post()
      @AsyncEndpoint(Mirror)
      create(@Body() body: object, times = 2, ...rest: unknown[]) {
        return { body, times, rest: rest.length };
      }
    }
    expect(await mirrored(adapter, DefaultsController, 'POST', '/defaults', { a: 1 })).toEqual({
      body: { a: 1 },
      times: 2,
      rest: 0,
    });
  });

  it('may have another name in its route, its own headers, and no say in the 202', async () => {
    @Controller()
    class HeadersController {
      @Post('headers')
      @HttpCode(201)
      @Header('X-Kitchen', 'open')
      @AsyncEndpoint(Mirror)
      above(@Headers('x-table') table: string) {
        return { table };
      }

      @AsyncEndpoint(Mirror)
      @Header('X-Kitchen', 'open')
      @HttpCode(201)
      @Post('headers-below')
      below(@Headers('x-table') table: string) {
        return { table };
      }
    }
    const app = await startApp(adapter, mirroring(HeadersController));
    for (const path of ['/headers', '/headers-below']) {
      const answer = await app.post(path, undefined, { 'X-Table': '7' });
      expect([answer.status, answer.header('X-Kitchen')]).toEqual([202, 'open']);
      expect((await app.ended(answer.job)).job.result).toEqual({ got: { table: '7' } });
    }
  });

  it('may be one of a request-scoped controller, with what is injected into it', async () => {
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

  it('may be one of two in a controller, for one job or for several', async () => {
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

  it('may be in a module that does not import ours, or, where it is not global, in one that does', async () => {
    const endpoints = AsyncEndpointsModule.forRoot({ isGlobal: false });
    @Module({ imports: [endpoints], controllers: [ReportsController], providers: [ReportHandler] })
    class FeatureModule {}
    const app = await startApp(adapter, { asyncEndpoints: [], imports: [FeatureModule] });
    const { job, status } = await app.post('/reports', { title: 'Bees' });
    expect(status).toBe(202);
    expect((await app.ended(job)).job.result).toEqual({ text: 'About Bees' });
  });
});

describe('A controller with async endpoints, called by a unit test', () => {
  it('returns the plain value, without HTTP, Nest or a store', () => {
    const request: ReportRequest = { title: 'Bees' };
    expect(new ReportsController().create(request)).toBe(request);
  });

  it('takes every argument that it is given, also those with a default', () => {
    class DefaultsController {
      @Post()
      @AsyncEndpoint(Report)
      create(@Body() request: ReportRequest, pages = 1): ReportRequest {
        return { ...request, pages };
      }
    }
    expect(new DefaultsController().create({ title: 'Bees' }, 7)).toEqual({ title: 'Bees', pages: 7 });
    expect(new DefaultsController().create({ title: 'Bees' })).toEqual({ title: 'Bees', pages: 1 });
  });

  it('keeps names, lengths and what the method throws', () => {
    const { create } = ReportsController.prototype;
    expect([create.name, create.length]).toEqual(['create', 1]);
    class ThrowingController {
      @Post()
      @AsyncEndpoint(Report)
      create(): ReportRequest {
        throw new RangeError('mine');
      }
    }
    expect(() => new ThrowingController().create()).toThrow(new RangeError('mine'));
  });
});

describe('@AsyncEndpoint where it makes no sense', () => {
  it('twice on a method is refused when the class is defined, with its name', () => {
    expect(() => {
      class Twice {
        @Post()
        @AsyncEndpoint(Report)
        @AsyncEndpoint(Report)
        create(@Body() request: ReportRequest) {
          return request;
        }
      }
      return Twice;
    }).toThrow('Twice.create has two @AsyncEndpoint decorators.');
  });

  it('above @Sse is refused when the class is defined', () => {
    expect(() => {
      class Streaming {
        @AsyncEndpoint(Report)
        @Sse('stream')
        stream() {
          return of({ title: 'Bees' });
        }
      }
      return Streaming;
    }).toThrow('Streaming.stream cannot be @Sse and @AsyncEndpoint.');
  });

  it.each(ADAPTERS)('below @Sse, on @Get or on no route at all is refused at boot, on %s', async (adapter) => {
    @Controller('below')
    class Below {
      @Sse('stream')
      @AsyncEndpoint(Report)
      stream() {
        return of({ title: 'Bees' });
      }
    }

    @Controller('getting')
    class Getting {
      @Get()
      @AsyncEndpoint(Report)
      create() {
        return { title: 'Bees' };
      }
    }

    @Controller('routeless')
    class Routeless {
      @AsyncEndpoint(Report)
      create() {
        return { title: 'Bees' };
      }
    }
    for (const [controller, where] of [
      [Below, 'Below.stream'],
      [Getting, 'Getting.create'],
      [Routeless, 'Routeless.create'],
    ] as const) {
      expect(await bootError(adapter, { controllers: [controller], options: { role: 'api' } })).toBe(
        `INVALID_ENDPOINT: ${where} is an @AsyncEndpoint without @Post, @Put, @Patch or @Delete.`,
      );
    }
  });
});
