import { Body, Controller, Get, Post, Sse } from '@nestjs/common';
import { AsyncEndpoint } from 'nestjs-async-endpoints';
import { of } from 'rxjs';
import { Report, type ReportRequest, ReportsController } from './reports.js';
import { ADAPTERS, bootError } from './start-app.js';

describe('A controller with async endpoints, called by a unit test', () => {
  it('returns the plain value, without HTTP, Nest or a store', () => {
    const request: ReportRequest = { title: 'Bees' };
    expect(new ReportsController().create(request)).toBe(request);
  });

  it('accepts every argument, also those with a default', () => {
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

  it('keeps names, lengths and errors of its methods', () => {
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

describe('@AsyncEndpoint in an invalid place', () => {
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
