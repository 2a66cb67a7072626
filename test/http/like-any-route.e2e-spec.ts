import {
  type ArgumentMetadata,
  type ArgumentsHost,
  Body,
  type CallHandler,
  type CanActivate,
  Catch,
  ConflictException,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  HttpException,
  Injectable,
  type NestInterceptor,
  Param,
  ParseIntPipe,
  type PipeTransform,
  Post,
  Query,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
} from '@nestjs/common';
import { APP_GUARD, HttpAdapterHost } from '@nestjs/core';
import { Type } from 'class-transformer';
import { IsInt, IsString, Min } from 'class-validator';
import { AsyncEndpoint, defineJob, JobStore } from 'nestjs-async-endpoints';
import { catchError, map, type Observable, throwError } from 'rxjs';
import { refused } from './answer.js';
import { Report, type ReportRequest, ReportsController } from './reports.js';
import { ADAPTERS, type RunningApp, startApp } from './start-app.js';

const API = { role: 'api' } as const;

/** The request as a worker gets it. */
async function queued(app: RunningApp): Promise<unknown> {
  const slots = new Map((await app.all()).map(({ name }) => [name, 1]));
  const [claim] = await app.nest.get(JobStore).claim({ worker: 'test', leaseMs: 60_000, limit: 1, slots });
  return (JSON.parse(claim?.input ?? '{}') as { request?: unknown }).request;
}

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

  it('may be global, and refuse before a malformed request id is looked at', async () => {
    const app = await startApp(adapter, {
      controllers: [ReportsController],
      providers: [{ provide: APP_GUARD, useClass: ClosedGuard }],
      options: API,
    });
    const answer = await app.post('/reports', { title: 'Bees' }, { 'X-Async-Request-Id': 'x' });
    expect([answer.status, await app.all()]).toEqual([403, []]);
  });
});

class ReportDto implements ReportRequest {
  @IsString()
  title!: string;

  @IsInt()
  @Min(1)
  @Type(() => Number)
  pages!: number;
}

class Shout implements PipeTransform {
  transform(value: unknown, { type }: { type: string }): unknown {
    return type === 'body' ? { title: (value as ReportRequest).title.toUpperCase() } : value;
  }
}

@Controller()
class PipedController {
  @Post('validated')
  @AsyncEndpoint(Report)
  validated(@Body() request: ReportDto) {
    return Object.assign(request, { title: `${request.title} by ${request.constructor.name}` });
  }

  @Post('shouted')
  @UsePipes(Shout)
  @AsyncEndpoint(Report)
  shouted(@Body() request: ReportRequest) {
    return request;
  }

  @AsyncEndpoint(Report)
  @UsePipes(Shout)
  @Post('shouted-below')
  shoutedBelow(@Body() request: ReportRequest) {
    return request;
  }

  @Post('volumes/:volume')
  @AsyncEndpoint(Report)
  volume(@Param('volume', ParseIntPipe) volume: number, @Body('title') title: string, @Query('tone') tone?: string) {
    return { title: `${title}, ${tone}`, pages: volume };
  }
}

describe.each(ADAPTERS)('Pipes of an async endpoint, on %s', (adapter) => {
  const validation = { transform: true, whitelist: true };

  it('validate the DTO: a bad one is 400 with what is wrong, and nothing is queued', async () => {
    const app = await startApp(adapter, {
      controllers: [PipedController],
      options: API,
      configure: (nest) => nest.useGlobalPipes(new ValidationPipe(validation)),
    });
    const answer = await app.post('/validated', { title: 7, pages: 0 });
    expect([answer.status, answer.body]).toMatchObject([
      400,
      { message: ['title must be a string', 'pages must not be less than 1'] },
    ]);
    expect(await app.all()).toEqual([]);
  });

  it('transform and whitelist what is queued', async () => {
    const app = await startApp(adapter, {
      controllers: [PipedController],
      options: API,
      configure: (nest) => nest.useGlobalPipes(new ValidationPipe(validation)),
    });
    expect((await app.post('/validated', { title: 'Bees', pages: '7', admin: true })).status).toBe(202);
    expect(await queued(app)).toEqual({ title: 'Bees by ReportDto', pages: 7 });
  });

  it('may forbid what is not in the DTO', async () => {
    const app = await startApp(adapter, {
      controllers: [PipedController],
      options: API,
      configure: (nest) => nest.useGlobalPipes(new ValidationPipe({ ...validation, forbidNonWhitelisted: true })),
    });
    expect((await app.post('/validated', { title: 'Bees', pages: 7, admin: true })).status).toBe(400);
    expect((await app.post('/validated', 'null')).status).toBe(400);
    expect((await app.post('/validated')).status).toBe(400);
    expect(await app.all()).toEqual([]);
  });

  it.each(['/shouted', '/shouted-below'])(
    'of the method alone apply, and see only what is declared: %s',
    async (path) => {
      const app = await startApp(adapter, { controllers: [PipedController], options: API });
      expect((await app.post(path, { title: 'Bees' })).status).toBe(202);
      expect(await queued(app)).toEqual({ title: 'BEES' });
    },
  );

  it('of a parameter refuse: a volume that is no number is 400, and nothing is queued', async () => {
    const app = await startApp(adapter, { controllers: [PipedController], options: API });
    const answer = await app.post('/volumes/seven', { title: 'Bees' });
    expect([answer.status, await app.all()]).toEqual([400, []]);
    expect((await app.post('/volumes/7?tone=dry', { title: 'Bees' })).status).toBe(202);
    expect(await queued(app)).toEqual({ title: 'Bees, dry', pages: 7 });
  });

  it('never see the hidden parameters of the decorator', async () => {
    const seen: string[] = [];
    const spy: PipeTransform = {
      transform: (value: unknown, { type, data }: ArgumentMetadata) => {
        seen.push(`${type} ${data ?? ''}`.trim());
        return value;
      },
    };
    const app = await startApp(adapter, {
      controllers: [PipedController],
      options: API,
      configure: (nest) => nest.useGlobalPipes(spy),
    });
    await app.post('/volumes/7', { title: 'Bees' });
    expect(seen.toSorted()).toEqual(['body title', 'param volume', 'query tone']);
  });
});

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
    options: { ...API, jobs: { maximumQueueSize: 1 } },
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

  it('see refusals as errors, which come out as problems all the same', async () => {
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

  it('may turn a refusal into an answer of their own', async () => {
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

describe.each(ADAPTERS)('What the method of an async endpoint throws, on %s', (adapter) => {
  it.each([
    ['http', 409, { taken: 'Bees' }],
    ['rejected', 409, { statusCode: 409, message: 'later', error: 'Conflict' }],
    ['observable', 409, { statusCode: 409, message: 'streamed', error: 'Conflict' }],
    ['paper', 507, { paper: 'none left' }],
    ['error', 500, { statusCode: 500, message: 'Internal server error' }],
  ])('is answered as on any route, and nothing is queued: %s', async (path, status, body) => {
    const app = await startApp(adapter, { controllers: [ThrowingController], options: API });
    const answer = await app.post(`/thrown/${path}`, { title: 'Bees' });
    expect([answer.status, answer.body]).toEqual([status, body]);
    expect(await app.all()).toEqual([]);
  });

  it('reaches a global filter that catches everything, which does not get the problems of the library', async () => {
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
