import {
  type ArgumentMetadata,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  Catch,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
  type PipeTransform,
  type Provider,
  Scope,
  SetMetadata,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, Reflector, REQUEST } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { EMPTY, map, NEVER, of, tap } from 'rxjs';
import {
  AsyncEndpointsModule,
  type AsyncEndpointsOptions,
  AsyncHandler,
  defineJob,
  type JobContext,
  JobManager,
  PermanentJobError,
} from '../index.js';

const Greet = defineJob<string, string>('Greet', { maxRetries: 0 });
let notes: string[] = [];

@Injectable()
class Prefix {
  readonly text: string = 'Dr.';
}

/** Needs what only the container has. */
@Injectable()
class PrefixPipe implements PipeTransform<string, string> {
  constructor(@Inject(Prefix) private readonly prefix: Prefix) {}

  transform(value: string, { type, metatype }: ArgumentMetadata): string {
    notes.push(`pipe ${type} ${metatype?.name}`);
    return `${this.prefix.text} ${value}`;
  }
}

@Injectable()
class RoleGuard implements CanActivate {
  constructor(@Inject(Reflector) private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const [payload, job] = context.getArgs<[string, JobContext]>();
    notes.push(`guard ${context.getType()} ${context.getClass().name} ${payload} ${job.name} ${job.attempt}`);
    return this.reflector.get<string>('role', context.getHandler()) === 'any' && payload !== 'Eve';
  }
}

@Injectable()
class LoudInterceptor implements NestInterceptor<string, string> {
  intercept(_context: ExecutionContext, next: CallHandler<string>) {
    notes.push('before');
    return next.handle().pipe(
      map((text) => text.toUpperCase()),
      tap(() => notes.push('after')),
    );
  }
}

@Catch(RangeError)
class RangeFilter {
  catch(error: RangeError, host: ArgumentsHost): never {
    throw new PermanentJobError(`${host.getType<string>()}: ${error.message}`, { code: 'OUT_OF_RANGE' });
  }
}

@AsyncHandler(Greet)
@UseGuards(RoleGuard)
@UseFilters(RangeFilter)
class GreetHandler {
  @SetMetadata('role', 'any')
  @UsePipes(PrefixPipe)
  @UseInterceptors(LoudInterceptor)
  handle(name: string, context: JobContext): string {
    if (name.includes('Zoe')) throw new RangeError(`no ${name}`);
    if (name.includes('Bug')) throw new TypeError('a bug');
    return `${name}, attempt ${context.attempt}`;
  }
}

/** How a job ends that this application runs. */
async function run(name: string, providers: Provider[], options: AsyncEndpointsOptions = {}) {
  notes = [];
  const module = await Test.createTestingModule({
    imports: [AsyncEndpointsModule.forRoot({ ...options, worker: { maxConcurrency: 1, ...options.worker } })],
    providers: [Prefix, ...providers],
  }).compile();
  onTestFinished(() => module.close().catch(() => {})); // on Nest 11 it rejects after a failed boot
  await module.init();
  const jobs = module.get(JobManager);
  const { id } = await jobs.submit(Greet, name);
  const { result, error } = await jobs.waitFor<string>(id);
  return error ?? result;
}

describe('Guards, interceptors, pipes and filters of a handler', () => {
  it('run around the job with the context type async-job; pipes see only the payload', async () => {
    expect(await run('Ada', [GreetHandler])).toBe('DR. ADA, ATTEMPT 1');
    expect(notes).toEqual(['guard async-job GreetHandler Ada Greet 1', 'before', 'pipe body String', 'after']);
  });

  it('a guard that returns false fails the job, and the handler does not run', async () => {
    expect(await run('Eve', [GreetHandler])).toMatchObject({ message: 'Forbidden resource' });
    expect(notes).toEqual(['guard async-job GreetHandler Eve Greet 1']);
  });

  it('a filter changes the error; an error that no filter catches is unchanged', async () => {
    expect(await run('Zoe', [GreetHandler])).toEqual({ code: 'OUT_OF_RANGE', message: 'async-job: no Dr. Zoe' });
    expect(await run('Bug', [GreetHandler])).toEqual({ code: 'TYPE_ERROR', message: 'a bug', internal: true });
  });

  it('are refused at boot when Nest would ignore them', async () => {
    const standIn = { provide: GreetHandler, useValue: { handle: (name: string) => `fake ${name}` } };
    await expect(run('Ada', [standIn])).rejects.toThrow(
      'RoleGuard on the handler of job "Greet" would not run, because GreetHandler is provided by something else than ' +
        'its class. List GreetHandler itself in providers, or use an instance.',
    );
  });

  it('run around a test double of the handler', async () => {
    notes = [];
    const module = await Test.createTestingModule({
      imports: [AsyncEndpointsModule.forRoot({ worker: { maxConcurrency: 1 } })],
      providers: [Prefix, GreetHandler],
    })
      .overrideProvider(GreetHandler)
      .useValue({ handle: (name: string) => `fake ${name}` })
      .compile();
    onTestFinished(() => module.close());
    await module.init();
    const jobs = module.get(JobManager);
    expect(await jobs.waitFor((await jobs.submit(Greet, 'Ada')).id)).toMatchObject({ result: 'FAKE DR. ADA' });
  });

  it('may be request-scoped, and work for a request-scoped handler', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class ScopedInterceptor implements NestInterceptor {
      constructor(@Inject(REQUEST) private readonly job: JobContext) {}

      intercept(_context: ExecutionContext, next: CallHandler) {
        return next.handle().pipe(map((text) => `${text} ${this.job.name}`));
      }
    }
    @AsyncHandler(Greet)
    @UseInterceptors(ScopedInterceptor)
    class OneHandler {
      handle(name: string) {
        return name;
      }
    }
    @AsyncHandler(Greet, { scope: Scope.REQUEST })
    @UseInterceptors(LoudInterceptor)
    class OtherHandler {
      constructor(@Inject(REQUEST) private readonly job: JobContext) {}

      handle(name: string) {
        return `${name} ${this.job.name}`;
      }
    }
    expect(await run('Ada', [OneHandler])).toBe('Ada Greet');
    expect(await run('Ada', [OtherHandler])).toBe('ADA GREET');
  });
});

describe('Global enhancers of the application', () => {
  @Injectable({ scope: Scope.REQUEST })
  class ScopedGuard implements CanActivate {
    constructor(@Inject(REQUEST) private readonly job: JobContext) {}

    canActivate(context: ExecutionContext): boolean {
      notes.push(`${context.getType()} ${this.job.name}`);
      return true;
    }
  }
  @AsyncHandler(Greet)
  class PlainHandler {
    handle(name: string) {
      return name;
    }
  }
  const global: Provider[] = [
    PlainHandler,
    { provide: APP_INTERCEPTOR, useClass: LoudInterceptor },
    { provide: APP_GUARD, useClass: ScopedGuard },
  ];

  it('do not run around handlers', async () => {
    expect(await run('Ada', global)).toBe('Ada');
    expect(await run('Ada', [GreetHandler, ...global.slice(2)])).toBe('DR. ADA, ATTEMPT 1');
    expect(notes).not.toContain('async-job Greet');
  });

  it('run around handlers with worker.globalEnhancers', async () => {
    expect(await run('Ada', global, { worker: { globalEnhancers: true } })).toBe('ADA');
    expect(notes).toEqual(['async-job Greet', 'before', 'after']);
  });
});

describe('A handler that returns an Observable', () => {
  const handlerOf = (handle: (name: string, context: JobContext) => unknown) => {
    @AsyncHandler('Greet')
    class ObservableHandler {
      handle = handle;
    }
    return ObservableHandler;
  };

  it('results in its last value, also through a promise', async () => {
    expect(await run('Ada', [handlerOf((name) => of('first', name))])).toBe('Ada');
    expect(await run('Ada', [handlerOf(async (name) => of('first', name))])).toBe('Ada');
    expect(await run('Ada', [handlerOf(() => EMPTY)])).toBeNull();
  });

  it('is unsubscribed from when the job times out', async () => {
    let left = 0;
    const handler = handlerOf(() => NEVER.pipe(tap({ unsubscribe: () => (left += 1) })));
    expect(await run('Ada', [handler], { jobs: { timeoutMs: 20 } })).toMatchObject({ code: 'JOB_TIMEOUT' });
    expect(left).toBe(1);
  });
});
