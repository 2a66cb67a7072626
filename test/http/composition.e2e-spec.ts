import { freePort } from '@app/redis-server';
import { applyDecorators, Body, Controller, Post, Query, Redirect, Render, Res, UseGuards } from '@nestjs/common';
import { ClientProxyFactory, MessagePattern, Transport } from '@nestjs/microservices';
import { AsyncEndpoint, type JobDefinition } from 'nestjs-async-endpoints';
import { firstValueFrom } from 'rxjs';
import { Mirror, MirrorHandler } from './mirror.js';
import { queued } from './queued-request.js';
import { Report, ReportHandler, type ReportRequest } from './reports.js';
import { ADAPTERS, bootError, startApp } from './start-app.js';

const API = { role: 'api' } as const;

function AsyncPost<TRequest, TResult>(path: string, job: JobDefinition<TRequest, TResult>) {
  return applyDecorators(Post(path), AsyncEndpoint(job));
}

/** As tracing and transaction decorators do: puts its own function in the method's place, and passes on what it knows of. */
function Wrapped(pass: (args: unknown[]) => unknown[]) {
  return (_target: object, _key: string, descriptor: PropertyDescriptor): void => {
    const method = descriptor.value as (...args: unknown[]) => unknown;
    descriptor.value = async function (this: unknown, ...args: unknown[]) {
      const { title } = (await method.apply(this, pass(args))) as ReportRequest;
      return { title: `wrapped ${title}` };
    };
  };
}

const refusing = { canActivate: () => false };

@Controller('composed')
class ComposedController {
  @AsyncPost('applied', Report)
  applied(@Body() request: ReportRequest) {
    return request;
  }

  @Post('first')
  @Wrapped((args) => args.slice(0, 1))
  @AsyncEndpoint(Report)
  first(@Body() request: ReportRequest) {
    return request;
  }

  @Post('all')
  @Wrapped((args) => args)
  @AsyncEndpoint(Report)
  all(@Body() request: ReportRequest) {
    return request;
  }

  @Post('guarded')
  @Wrapped(() => [])
  @AsyncEndpoint(Report)
  @UseGuards(refusing)
  guarded(@Body() request: ReportRequest) {
    return request;
  }

  @Post('both')
  @MessagePattern('both')
  @AsyncEndpoint(Report)
  both(@Body() request: ReportRequest, pages = 7) {
    return { ...request, pages };
  }
}

describe.each(ADAPTERS)('@AsyncEndpoint among other decorators, on %s', (adapter) => {
  const parts = { controllers: [ComposedController], options: API };

  it('composes with applyDecorators', async () => {
    const app = await startApp(adapter, parts);
    expect((await app.post('/composed/applied', { title: 'Bees' })).status).toBe(202);
    expect(await queued(app)).toEqual({ title: 'Bees' });
  });

  it.each(['first', 'all'])(
    'queues the return value of a wrapping decorator above it, which passes on %s',
    async (path) => {
      const app = await startApp(adapter, parts);
      const answer = await app.post(`/composed/${path}`, { title: 'Bees' });
      expect([answer.status, answer.job.name]).toEqual([202, 'Report']);
      expect(answer.header('Location')).toBe(answer.job.links.self);
      expect(await queued(app)).toEqual({ title: 'wrapped Bees' });
      const refusal = await app.post(`/composed/${path}`, { title: 'Bees' }, { 'X-Async-Request-Id': 'no uuid' });
      expect(refusal.refusal.code).toBe('INVALID_REQUEST_ID');
    },
  );

  it('keeps guards below a wrapping decorator', async () => {
    const app = await startApp(adapter, parts);
    expect((await app.post('/composed/guarded', { title: 'Bees' })).status).toBe(403);
    expect(await app.all()).toEqual([]);
  });

  it('runs the method for a microservice call, and queues for an HTTP request', async () => {
    const tcp = { transport: Transport.TCP, options: { host: '127.0.0.1', port: await freePort() } } as const;
    const app = await startApp(adapter, { ...parts, configure: (nest) => void nest.connectMicroservice(tcp) });
    await app.nest.startAllMicroservices();
    const client = ClientProxyFactory.create(tcp);
    onTestFinished(() => void client.close());
    expect(await firstValueFrom(client.send('both', { title: 'Bees' }))).toEqual({ title: 'Bees', pages: 7 });
    expect(await app.all()).toEqual([]);
    expect((await app.post('/composed/both', { title: 'Wasps' })).status).toBe(202);
    expect(await queued(app)).toEqual({ title: 'Wasps', pages: 7 });
  });

  it('passes a subclass that overrides an endpoint its own arguments', async () => {
    class Base {
      @Post('create')
      @AsyncEndpoint(Mirror)
      create(@Body() body: object): object {
        return body;
      }

      @Post('synchronous')
      @AsyncEndpoint(Mirror)
      synchronous(@Body() body: object): object {
        return body;
      }
    }

    @Controller('sub')
    class Sub extends Base {
      @Post('create')
      @AsyncEndpoint(Mirror)
      override create(@Body() body: object, @Query('page') page = 'none', size = 20): object {
        return { body, page, size };
      }

      @Post('synchronous')
      override synchronous(@Body() body: object, size = 20): object {
        return { body, size };
      }
    }
    const app = await startApp(adapter, { controllers: [Sub], providers: [MirrorHandler] });
    const created = await app.post('/sub/create?page=3', { a: 1 }, { Prefer: 'wait=20' });
    expect(created.job.result).toEqual({ got: { body: { a: 1 }, page: '3', size: 20 } });
    const answer = await app.post('/sub/synchronous', { a: 1 });
    expect([answer.status, answer.body]).toEqual([201, { body: { a: 1 }, size: 20 }]);
  });

  it.each([
    ['@Redirect', Redirect('/elsewhere')],
    ['@Render', Render('page')],
  ])('is refused at boot together with %s', async (name, decorator) => {
    @Controller('answering')
    class Answering {
      @Post()
      @decorator
      @AsyncEndpoint(Report)
      create() {
        return { title: 'Bees' };
      }
    }
    expect(await bootError(adapter, { controllers: [Answering], providers: [ReportHandler] })).toBe(
      `INVALID_ENDPOINT: Answering.create has ${name}, but an @AsyncEndpoint answers with a job; remove one of them.`,
    );
  });
});

it('refuses an async endpoint whose method sends the response itself', () => {
  expect(() => {
    class Answering {
      @Post()
      @AsyncEndpoint(Report)
      create(@Res() response: unknown) {
        return { title: String(response) };
      }
    }
    return Answering;
  }).toThrow('Answering.create takes @Res() or @Next() to answer itself; an async endpoint needs');
});
