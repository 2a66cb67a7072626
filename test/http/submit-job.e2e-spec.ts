import {
  Body,
  type CanActivate,
  Controller,
  ConflictException,
  ForbiddenException,
  Injectable,
  Post,
  type Type,
  UseGuards,
  UsePipes,
  ValidationPipe,
} from '@nestjs/common';
import { IsString } from 'class-validator';
import { AsyncEndpoint, type HttpRequest, type Submit, SubmitJob } from 'nestjs-async-endpoints';
import { mergeMap, of } from 'rxjs';
import { refused } from './answer.js';
import { Gate } from './gate.js';
import { Mirror } from './mirror.js';
import { queued } from './queued-request.js';
import { handlerOf, Report, ReportHandler, type ReportRequest } from './reports.js';
import { ADAPTERS, bootError, STACKS, startApp } from './start-app.js';

type SubmitReport = Submit<typeof Report>;
type Run = (submit: SubmitReport, request: ReportRequest) => unknown;

/** A controller whose method does this, also what the compiler would refuse. */
function submitting(run: Run): Type {
  @Controller('reports')
  class SubmittingController {
    @Post()
    @AsyncEndpoint(Report)
    create(@Body() request: ReportRequest, @SubmitJob() submit: SubmitReport) {
      return run(submit, request) as ReturnType<SubmitReport>;
    }
  }
  return SubmittingController;
}

const api = (run: Run) => ({ controllers: [submitting(run)], options: { role: 'api' as const } });
const BEES = { title: 'Bees' };
const KEY = { 'Idempotency-Key': 'a' };
const FAULT = refused(500, 'INTERNAL_ERROR');

describe.each(STACKS)('A method that submits its job itself, on %s', (stack) => {
  it('answers 202 with that job, whose handler gets the payload and the values of the request', async () => {
    const seen = new Gate<unknown>();
    const Handler = handlerOf(Report, (request, { owner, headers }) => {
      seen.open({ request, owner, tenant: headers.get('x-tenant') });
      return { text: 'done' };
    });
    const owner = ({ headers }: HttpRequest) => String(headers['x-user']);
    const app = await startApp(stack, {
      controllers: [submitting(async (submit, { title }) => submit({ title, pages: 7 }, { priority: 5 }))],
      providers: [Handler],
      options: { http: { owner, captureHeaders: ['X-Tenant'] } },
    });
    const headers = {
      'X-User': 'ann',
      'X-Tenant': 'bees',
      'X-Async-Request-Id': '6f2f6a86-92a9-4a0e-8f0a-5fd1f4b9a1ce',
    };
    const { status, job } = await app.post('/reports', BEES, headers);
    expect([status, job.id]).toEqual([202, headers['X-Async-Request-Id']]);
    expect(await seen.opened).toEqual({ request: { title: 'Bees', pages: 7 }, owner: 'ann', tenant: 'bees' });
    expect(await app.jobs.waitFor(job.id)).toMatchObject({ priority: 5, status: 'Completed' });
  });

  it('does not go on when the same request was accepted before; the response is the job of then', async () => {
    const ended: string[] = [];
    const app = await startApp(
      stack,
      api(async (submit, request) => {
        const job = await submit(request);
        ended.push(job.id);
        return job;
      }),
    );
    const { job } = await app.post('/reports', BEES, KEY);
    const again = await app.post('/reports', BEES, KEY);
    expect([again.status, again.job.id, again.headers.get('idempotency-replayed')]).toEqual([202, job.id, 'true']);
    expect(ended).toEqual([job.id]);
    expect((await app.post('/reports', { title: 'Ants' }, KEY)).refusal).toEqual(
      refused(422, 'IDEMPOTENCY_KEY_REUSED'),
    );
    const id = { 'X-Async-Request-Id': job.id };
    expect((await app.post('/reports', { title: 'Ants' }, id)).refusal).toEqual(refused(409, 'REQUEST_ID_CONFLICT'));
    expect((await app.post('/reports', BEES, id)).job.id).toBe(job.id);
    expect(await app.all()).toHaveLength(1);
  });

  it('waits for the result, where the client does', async () => {
    const app = await startApp(stack, {
      controllers: [submitting((submit, dto) => submit(dto))],
      providers: [ReportHandler],
    });
    const { status, job } = await app.post('/reports', BEES, { Prefer: 'wait=20' });
    expect([status, job.result]).toEqual([200, { text: 'About Bees' }]);
  });

  it('gets the refusals of a submission', async () => {
    const app = await startApp(stack, {
      controllers: [submitting((submit, { title }) => submit({ title: title.repeat(100) }))],
      options: { role: 'api', jobs: { maxQueueSize: 1, maxPayloadBytes: 1_000 } },
    });
    expect((await app.post('/reports', { title: 'x'.repeat(20) })).refusal).toEqual(refused(413, 'PAYLOAD_TOO_LARGE'));
    expect((await app.post('/reports', BEES)).status).toBe(202);
    expect((await app.post('/reports', BEES)).refusal).toEqual(refused(503, 'QUEUE_FULL'));
  });
});

describe.each(ADAPTERS)('A method with @SubmitJob(), on %s', (adapter) => {
  /** The answer to a request, what was logged of it, and how many jobs there are. */
  async function outcome(run: Run) {
    const app = await startApp(adapter, api(run));
    const { status, refusal } = await app.post('/reports', BEES);
    return { app, status, refusal, log: app.log.text, jobs: (await app.all()).length };
  }

  it('may return an Observable', async () => {
    const { status, jobs } = await outcome((submit) => of(BEES).pipe(mergeMap((dto) => submit(dto))));
    expect([status, jobs]).toEqual([202, 1]);
  });

  it('is not called when a guard or a pipe refuses', async () => {
    class Titled {
      @IsString()
      title!: string;
    }
    @Injectable()
    class Never implements CanActivate {
      canActivate(): boolean {
        throw new ForbiddenException();
      }
    }
    let calls = 0;
    @Controller('reports')
    @UsePipes(new ValidationPipe({ validateCustomDecorators: true, whitelist: true }))
    class Checked {
      @Post()
      @AsyncEndpoint(Report)
      create(@SubmitJob() submit: SubmitReport, @Body() request: Titled) {
        calls++;
        return submit(request);
      }

      @Post('never')
      @UseGuards(Never)
      @AsyncEndpoint(Report)
      never(@SubmitJob() submit: SubmitReport) {
        calls++;
        return submit(BEES);
      }
    }
    const app = await startApp(adapter, { controllers: [Checked], options: { role: 'api' } });
    expect((await app.post('/reports', { title: 7 })).status).toBe(400);
    expect((await app.post('/reports/never', BEES)).status).toBe(403);
    expect(calls).toBe(0);
    expect((await app.post('/reports', { title: 'Bees', more: 1 })).status).toBe(202);
    expect(await queued(app)).toEqual(BEES);
  });

  it('that throws is answered by Nest', async () => {
    const { status, jobs } = await outcome(() => {
      throw new ConflictException('mine');
    });
    expect([status, jobs]).toEqual([409, 0]);
  });

  it('that throws after a submission without a transaction leaves the job', async () => {
    const { status, jobs } = await outcome(async (submit) => {
      await submit(BEES);
      throw new ConflictException('mine');
    });
    expect([status, jobs]).toEqual([409, 1]);
  });

  it('that never calls submit is a fault, which the log names', async () => {
    const { refusal, log, jobs } = await outcome(() => BEES);
    expect([refusal, jobs]).toEqual([FAULT, 0]);
    expect(log).toContain('SubmittingController.create returned without a call of submit.');
  });

  it('that submits a second job is a fault; the first one stays', async () => {
    const { refusal, log, jobs } = await outcome(async (submit, request) => {
      await submit(request);
      return submit({ title: 'Ants' });
    });
    expect([refusal, jobs]).toEqual([FAULT, 1]);
    expect(log).toContain('SubmittingController.create called submit again after its job was submitted');
  });

  it('that calls submit twice at once is a fault', async () => {
    const { refusal, log } = await outcome((submit) => Promise.all([submit(BEES), submit(BEES)]));
    expect(refusal).toEqual(FAULT);
    expect(log).toContain('SubmittingController.create called submit while another call of it was running; await it.');
  });

  it('that does not await submit is answered when it has ended', async () => {
    expect(await outcome((submit) => void submit(BEES))).toMatchObject({ status: 202, jobs: 1 });
    const full = { title: 'x'.repeat(2_000_000) };
    const { refusal } = await outcome((submit) => void submit(full));
    expect(refusal).toEqual(refused(413, 'PAYLOAD_TOO_LARGE'));
  });

  it('that catches the error of submit is refused all the same', async () => {
    const { refusal } = await outcome((submit) => submit({ title: 'x'.repeat(2_000_000) }).catch(() => BEES));
    expect(refusal).toEqual(refused(413, 'PAYLOAD_TOO_LARGE'));
  });

  it('that calls submit after it has returned submits nothing', async () => {
    const late = new Gate<SubmitReport>();
    const { jobs, app } = await outcome((submit) => late.open(submit));
    const submit = await late.opened;
    await expect(submit(BEES)).rejects.toMatchObject({ code: 'INVALID_ENDPOINT' });
    expect([jobs, (await app.all()).length]).toEqual([0, 0]);
  });

  it('that names a transaction on a store without transactions is a fault', async () => {
    const { refusal, log, jobs } = await outcome((submit) => submit(BEES, { within: async () => [] }));
    expect([refusal, jobs]).toEqual([FAULT, 0]);
    expect(log).toContain('within needs a job store in the database of the transaction');
  });

  it('is refused at boot without @AsyncEndpoint', async () => {
    @Controller('reports')
    class Forgotten {
      @Post()
      create(@SubmitJob() submit: SubmitReport) {
        return submit(BEES);
      }
    }
    expect(await bootError(adapter, { controllers: [Forgotten], options: { role: 'api' } })).toBe(
      'INVALID_ENDPOINT: Forgotten.create has @SubmitJob(), which needs an @AsyncEndpoint method.',
    );
  });
});

describe('@SubmitJob()', () => {
  it('is passed by a unit test as any argument', async () => {
    class Orders {
      @Post()
      @AsyncEndpoint(Report)
      create(@Body() request: ReportRequest, @SubmitJob() submit: SubmitReport) {
        return submit(request, { delayMs: 7 });
      }
    }
    const submit = vi.fn<SubmitReport>();
    await new Orders().create(BEES, submit);
    expect(submit).toHaveBeenCalledWith(BEES, { delayMs: 7 });
  });

  it('is refused twice on a method, and on a constructor', () => {
    expect(() => {
      class Twice {
        create(@SubmitJob() one: SubmitReport, @SubmitJob() _other: SubmitReport) {
          return one(BEES);
        }
      }
      return Twice;
    }).toThrow('Twice.create has two @SubmitJob() parameters.');
    expect(() => {
      class Constructed {
        constructor(@SubmitJob() readonly submit: SubmitReport) {}
      }
      return Constructed;
    }).toThrow('the constructor of Constructed has @SubmitJob(), which needs an @AsyncEndpoint method.');
  });

  it('reaches the method through a decorator that wraps it, as one for transactions does', async () => {
    const wrapped: MethodDecorator = (_target, _key, descriptor) => {
      const method = descriptor.value as (...args: unknown[]) => Promise<unknown>;
      const wrapper = async function (this: unknown, request: unknown, submit: unknown) {
        return method.call(this, request, submit);
      };
      descriptor.value = wrapper as never;
    };
    @Controller('reports')
    class WrappedController {
      @Post()
      @wrapped
      @AsyncEndpoint(Report)
      create(@Body() request: ReportRequest, @SubmitJob() submit: SubmitReport) {
        return submit(request);
      }
    }
    const app = await startApp('Fastify', { controllers: [WrappedController], options: { role: 'api' } });
    expect((await app.post('/reports', BEES)).status).toBe(202);
    expect(await queued(app)).toEqual(BEES);
  });

  it('belongs to the method, not to one that overrides it', async () => {
    @Controller('reports')
    class Base {
      @Post()
      @AsyncEndpoint(Report)
      create(@SubmitJob() submit: SubmitReport) {
        return submit(BEES);
      }
    }
    @Controller('others')
    class Overriding extends Base {
      @Post()
      @AsyncEndpoint(Mirror)
      override create(@Body() request: unknown) {
        return request as ReturnType<SubmitReport>;
      }
    }
    const app = await startApp('Fastify', { controllers: [Overriding], options: { role: 'api' } });
    expect((await app.post('/others', { title: 'Ants' })).status).toBe(202);
    expect(await queued(app)).toEqual({ title: 'Ants' });
  });
});
