import {
  ClassSerializerInterceptor,
  Controller,
  Get,
  Module,
  Post,
  SerializeOptions,
  StandardSchemaSerializerInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { APP_INTERCEPTOR, NestFactory, Reflector } from '@nestjs/core';
import { Exclude, Expose, instanceToPlain, Transform } from 'class-transformer';
import { AsyncEndpoint, AsyncEndpointsModule, AsyncHandler, defineJob, JobManager } from 'nestjs-async-endpoints';
import { handlerOf } from './reports.js';
import { type AppParts, ADAPTERS, startApp } from './start-app.js';

class Money {
  constructor(private readonly cents: number) {}

  toJSON() {
    return (this.cents / 100).toFixed(2);
  }
}

class User {
  readonly first = 'Ann';
  readonly last = 'Lee';
  @Exclude()
  readonly secret = 'hunter2';
  @Transform(({ value }) => (value as Date).getUTCFullYear())
  readonly born = new Date('1990-05-05');

  @Expose()
  get name() {
    return `${this.first} ${this.last}`;
  }
}

/** Nothing of class-transformer's: its values are written as JSON writes them. */
class Page {
  readonly users = [new User()];
  readonly total = new Money(1250);
  readonly at = new Date('2026-01-02T03:04:05Z');
}

const SHOWN = { first: 'Ann', last: 'Lee', born: 1990, name: 'Ann Lee' };
const GetUser = defineJob<void, unknown>('GetUser');

@Controller('users')
class UsersController {
  @Get()
  synchronous() {
    return new User();
  }

  @Post()
  @AsyncEndpoint(GetUser)
  asynchronous() {}
}

/** The result of a job that returns this, in the job and on its own. */
async function resultOf(adapter: (typeof ADAPTERS)[number], result: unknown, parts: AppParts = {}) {
  const Handler = handlerOf(GetUser, () => result);
  const app = await startApp(adapter, { controllers: [UsersController], providers: [Handler], ...parts });
  const { job } = await app.post('/users', undefined, { Prefer: 'wait=20' });
  expect(job.status).toBe('Completed');
  expect((await app.get(job.links.result)).body).toEqual(job.result);
  return { result: job.result, app };
}

describe.each(ADAPTERS)('A result that is an instance of a class, on %s', (adapter) => {
  it('is stored as the global ClassSerializerInterceptor would send it from a synchronous route', async () => {
    const { app, result } = await resultOf(adapter, new User(), {
      configure: (nest) => nest.useGlobalInterceptors(new ClassSerializerInterceptor(nest.get(Reflector))),
    });
    expect(result).toEqual(SHOWN);
    expect((await app.get('/users')).body).toEqual(result);
    expect(JSON.stringify(await app.all())).not.toContain('hunter2');
  });

  it('is stored with the options of that interceptor', async () => {
    const excluding = (nest: { get: (token: typeof Reflector) => Reflector }) =>
      new ClassSerializerInterceptor(nest.get(Reflector), { strategy: 'excludeAll' });
    const configure: AppParts['configure'] = (nest) => void nest.useGlobalInterceptors(excluding(nest));
    expect((await resultOf(adapter, [new User()], { configure })).result).toEqual([{ name: 'Ann Lee' }]);
    const plain = { _id: 7, at: new Date(0) };
    expect((await resultOf(adapter, plain, { configure })).result).toEqual({ _id: 7, at: '1970-01-01T00:00:00.000Z' });
  });

  it('is stored with the @SerializeOptions of its handler', async () => {
    @AsyncHandler(GetUser)
    @SerializeOptions({ strategy: 'excludeAll' })
    class Handler {
      handle() {
        return new User();
      }
    }
    const provider = { provide: APP_INTERCEPTOR, useClass: ClassSerializerInterceptor };
    const { result } = await resultOf(adapter, null, { providers: [Handler, provider] });
    expect(result).toEqual({ name: 'Ann Lee' });
  });

  it('is stored as another serializer of the application would send it', async () => {
    class Initials extends ClassSerializerInterceptor {
      override serialize(response: object) {
        return response instanceof User ? { initials: 'AL' } : response;
      }
    }
    const { result } = await resultOf(adapter, new User(), {
      configure: (nest) => nest.useGlobalInterceptors(new Initials(nest.get(Reflector))),
    });
    expect(result).toEqual({ initials: 'AL' });
  });

  it('has no property that @Exclude hides, also without a global serializer', async () => {
    @Controller('users')
    @UseInterceptors(ClassSerializerInterceptor)
    class SerializedController {
      @Post()
      @AsyncEndpoint(GetUser)
      asynchronous() {}
    }
    const { result } = await resultOf(adapter, new User(), { controllers: [SerializedController] });
    expect(result).toEqual(SHOWN);
  });

  it('uses toJSON and dates of classes without decorators of class-transformer', async () => {
    expect((await resultOf(adapter, { page: new Page() })).result).toEqual({
      page: { users: [SHOWN], total: '12.50', at: '2026-01-02T03:04:05.000Z' },
    });
  });

  it('fails the job when it is circular', async () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    const app = await startApp(adapter, {
      controllers: [UsersController],
      providers: [handlerOf(GetUser, () => loop)],
    });
    const { job } = await app.post('/users', undefined, { Prefer: 'wait=20' });
    expect(job.error?.code).toBe('RESULT_NOT_SERIALIZABLE');
  });

  it('fails the job when the serializer refuses it, and is not stored', async () => {
    const validate = () => ({ issues: [{ message: 'no user' }] });
    const schema = { '~standard': { version: 1 as const, vendor: 'test', validate } };
    const app = await startApp(adapter, {
      controllers: [UsersController],
      providers: [handlerOf(GetUser, () => new User())],
      configure: (nest) =>
        nest.useGlobalInterceptors(new StandardSchemaSerializerInterceptor(nest.get(Reflector), { schema })),
    });
    const { status, job } = await app.post('/users', undefined, { Prefer: 'wait=20' });
    expect([status, job.error?.code, job.result]).toEqual([200, 'RESULT_NOT_SERIALIZABLE', null]);
  });
});

it('A worker without HTTP removes properties with @Exclude', async () => {
  @Module({ imports: [AsyncEndpointsModule.forRoot()], providers: [handlerOf(GetUser, () => new User())] })
  class WorkerModule {}
  const worker = await NestFactory.createApplicationContext(WorkerModule, { logger: false });
  onTestFinished(() => worker.close());
  const jobs = worker.get(JobManager);
  const { id } = await jobs.submit(GetUser, undefined);
  expect((await jobs.waitFor(id)).result).toEqual(instanceToPlain(new User()));
});
