import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  Headers,
  HttpCode,
  Param,
  Patch,
  Post,
  Put,
  type Type,
} from '@nestjs/common';
import { AsyncEndpoint } from 'nestjs-async-endpoints';
import { from, of } from 'rxjs';
import { ADAPTERS, type AdapterName, startApp } from './start-app.js';
import { Mirror, mirroring } from './mirror.js';

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

  it('keeps its parameters when some have defaults, and gets no others', async () => {
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

  it('may have another route name and its own headers, and does not change the 202', async () => {
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
});
