import {
  Body,
  type CallHandler,
  Controller,
  type ExecutionContext,
  HttpException,
  Injectable,
  type NestInterceptor,
  Post,
  UseInterceptors,
} from '@nestjs/common';
import { AsyncEndpoint } from 'nestjs-async-endpoints';
import { catchError, map, type Observable, throwError } from 'rxjs';
import { refused } from './answer.js';
import { Report, type ReportRequest } from './reports.js';
import { ADAPTERS, startApp } from './start-app.js';
import { queued } from './queued-request.js';

const API = { role: 'api' } as const;

/** Puts its name around what comes back, and tells of what went wrong. */
@Injectable()
class Wrap implements NestInterceptor {
  static errors: unknown[] = [];
  protected readonly name: string = 'global';

  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(
      map((body: unknown) => ({ [this.name]: body })),
      catchError((error: unknown) => {
        Wrap.errors.push([this.name, error instanceof HttpException && error.getStatus()]);
        return throwError(() => error);
      }),
    );
  }
}

class ControllerWrap extends Wrap {
  protected override readonly name = 'controller';
}

class MethodWrap extends Wrap {
  protected override readonly name = 'method';
}

@Controller('wrapped')
@UseInterceptors(ControllerWrap)
class InterceptedController {
  @Post('above')
  @UseInterceptors(MethodWrap)
  @AsyncEndpoint(Report)
  above(@Body() request: ReportRequest) {
    return request;
  }

  @AsyncEndpoint(Report)
  @UseInterceptors(MethodWrap)
  @Post('below')
  below(@Body() request: ReportRequest) {
    return request;
  }
}

describe.each(ADAPTERS)('Interceptors of an async endpoint, on %s', (adapter) => {
  const parts = {
    controllers: [InterceptedController],
    options: { ...API, jobs: { maxQueueSize: 1 } },
    configure: (nest: { useGlobalInterceptors(...interceptors: NestInterceptor[]): unknown }) =>
      void nest.useGlobalInterceptors(new Wrap()),
  };

  it.each(['/wrapped/above', '/wrapped/below'])(
    'wrap the body of the 202, wherever they are declared: %s',
    async (path) => {
      const app = await startApp(adapter, parts);
      const answer = await app.post(path, { title: 'Bees' });
      expect(answer.status).toBe(202);
      expect(answer.header('Location')).toMatch(/^\/jobs\//);
      expect(answer.body).toMatchObject({ global: { controller: { method: { name: 'Report', status: 'Queued' } } } });
      expect(await queued(app)).toEqual({ title: 'Bees' });
    },
  );

  it('see refusals as errors, which are still sent as problems', async () => {
    const app = await startApp(adapter, parts);
    await app.post('/wrapped/above', { title: 'Bees' });
    Wrap.errors = [];
    const answer = await app.post('/wrapped/above', { title: 'Bees' });
    expect(answer.refusal).toEqual(refused(503, 'QUEUE_FULL'));
    expect(Wrap.errors).toEqual([
      ['method', 503],
      ['controller', 503],
      ['global', 503],
    ]);
  });

  it('may replace a refusal by another response', async () => {
    const calm: NestInterceptor = {
      intercept: (_context, next) =>
        next.handle().pipe(catchError(() => throwError(() => new HttpException({ calm: true }, 429)))),
    };
    const app = await startApp(adapter, { ...parts, configure: (nest) => nest.useGlobalInterceptors(calm) });
    await app.post('/wrapped/above', { title: 'Bees' });
    const answer = await app.post('/wrapped/above', { title: 'Bees' });
    expect([answer.status, answer.body]).toEqual([429, { calm: true }]);
  });
});
