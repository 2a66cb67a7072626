import {
  type ArgumentsHost,
  Body,
  Catch,
  ConflictException,
  Controller,
  type ExceptionFilter,
  Post,
  UseFilters,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { AsyncEndpoint, defineJob } from 'nestjs-async-endpoints';
import { type Observable, throwError } from 'rxjs';
import { refused } from './answer.js';
import { Report, type ReportRequest, ReportsController } from './reports.js';
import { ADAPTERS, startApp } from './start-app.js';

const API = { role: 'api' } as const;

class NoPaper extends Error {}

@Catch(NoPaper)
class NoPaperFilter implements ExceptionFilter<NoPaper> {
  constructor(protected readonly host: HttpAdapterHost) {}

  catch(error: NoPaper, host: ArgumentsHost): void {
    this.host.httpAdapter.reply(host.switchToHttp().getResponse(), { paper: error.message }, 507);
  }
}

@Catch()
class EverythingFilter implements ExceptionFilter {
  static readonly caught: unknown[] = [];

  constructor(protected readonly host: HttpAdapterHost) {}

  catch(error: unknown, host: ArgumentsHost): void {
    EverythingFilter.caught.push(error);
    this.host.httpAdapter.reply(host.switchToHttp().getResponse(), { everything: true }, 599);
  }
}

const Odd = defineJob<ReportRequest>('Odd');

@Controller('thrown')
@UseFilters(NoPaperFilter)
class ThrowingController {
  @Post('http')
  @AsyncEndpoint(Report)
  http(@Body() request: ReportRequest): ReportRequest {
    throw new ConflictException({ taken: request.title });
  }

  @Post('rejected')
  @AsyncEndpoint(Report)
  rejected(): Promise<ReportRequest> {
    return Promise.reject(new ConflictException('later'));
  }

  @Post('observable')
  @AsyncEndpoint(Report)
  observable(): Observable<ReportRequest> {
    return throwError(() => new ConflictException('streamed'));
  }

  @Post('paper')
  @AsyncEndpoint(Odd)
  paper(): ReportRequest {
    throw new NoPaper('none left');
  }

  @Post('error')
  @AsyncEndpoint(Odd)
  error(): ReportRequest {
    throw new Error('sesame');
  }
}

describe.each(ADAPTERS)('An exception of the method of an async endpoint, on %s', (adapter) => {
  it.each([
    ['http', 409, { taken: 'Bees' }],
    ['rejected', 409, { statusCode: 409, message: 'later', error: 'Conflict' }],
    ['observable', 409, { statusCode: 409, message: 'streamed', error: 'Conflict' }],
    ['paper', 507, { paper: 'none left' }],
    ['error', 500, { statusCode: 500, message: 'Internal server error' }],
  ])('gets the same response as on any route, and nothing is queued: %s', async (path, status, body) => {
    const app = await startApp(adapter, { controllers: [ThrowingController], options: API });
    const answer = await app.post(`/thrown/${path}`, { title: 'Bees' });
    expect([answer.status, answer.body]).toEqual([status, body]);
    expect(await app.all()).toEqual([]);
  });

  it('reaches a global filter that catches everything, unlike the problems of the library', async () => {
    EverythingFilter.caught.length = 0;
    const app = await startApp(adapter, {
      controllers: [ThrowingController, ReportsController],
      options: API,
      configure: (nest) => nest.useGlobalFilters(new EverythingFilter(nest.get(HttpAdapterHost))),
    });
    const thrown = await app.post('/thrown/error');
    const problem = await app.post('/reports', { title: 'Bees' }, { 'X-Async-Request-Id': 'x' });
    expect([thrown.status, thrown.body]).toEqual([599, { everything: true }]);
    expect(problem.refusal).toEqual(refused(400, 'INVALID_REQUEST_ID'));
    expect(EverythingFilter.caught).toMatchObject([{ message: 'sesame' }]);
  });
});
