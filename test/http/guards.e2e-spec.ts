import { Body, type CanActivate, Controller, type ExecutionContext, Post, UseGuards } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AsyncEndpoint } from 'nestjs-async-endpoints';
import { Report, type ReportRequest, ReportsController } from './reports.js';
import { ADAPTERS, startApp } from './start-app.js';

const API = { role: 'api' } as const;

class ClosedGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<{ headers: Record<string, string> }>().headers['x-open'] === 'yes';
  }
}

let ran = 0;

@Controller()
class GuardedMethodController {
  @Post('above')
  @UseGuards(ClosedGuard)
  @AsyncEndpoint(Report)
  above(@Body() request: ReportRequest) {
    ran++;
    return request;
  }

  @AsyncEndpoint(Report)
  @UseGuards(ClosedGuard)
  @Post('below')
  below(@Body() request: ReportRequest) {
    ran++;
    return request;
  }
}

@Controller('controller')
@UseGuards(ClosedGuard)
class GuardedClassController {
  @Post()
  @AsyncEndpoint(Report)
  create(@Body() request: ReportRequest) {
    return request;
  }
}

describe.each(ADAPTERS)('Guards of an async endpoint, on %s', (adapter) => {
  it.each(['/above', '/below', '/controller'])(
    'refuse %s before the method runs and anything is queued',
    async (path) => {
      const app = await startApp(adapter, {
        controllers: [GuardedMethodController, GuardedClassController],
        options: API,
      });
      ran = 0;
      const closed = await app.post(path, { title: 'Bees' });
      expect([closed.status, ran, await app.all()]).toEqual([403, 0, []]);
      expect((await app.post(path, { title: 'Bees' }, { 'X-Open': 'yes' })).status).toBe(202);
      expect(await app.all()).toHaveLength(1);
    },
  );

  it('may be global, and refuse before a malformed request id is checked', async () => {
    const app = await startApp(adapter, {
      controllers: [ReportsController],
      providers: [{ provide: APP_GUARD, useClass: ClosedGuard }],
      options: API,
    });
    const answer = await app.post('/reports', { title: 'Bees' }, { 'X-Async-Request-Id': 'x' });
    expect([answer.status, await app.all()]).toEqual([403, []]);
  });
});
