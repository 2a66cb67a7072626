import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Post,
  UnauthorizedException,
  UseGuards,
} from '@nestjs/common';
import { AsyncEndpoint, type HttpRequest } from 'nestjs-async-endpoints';
import { refused } from './answer.js';
import { handlerOf, Report, ReportHandler, ReportsController, UNKNOWN_ID } from './reports.js';
import { STACKS, startApp } from './start-app.js';

const ANN = { 'X-User': 'ann' };
const BOB = { 'X-User': 'bob' };

function byHeader({ headers }: HttpRequest): string | null {
  return (headers['x-user'] as string | undefined) ?? null;
}

function ownedBy(owner: (request: HttpRequest) => string | null | Promise<string | null>) {
  return { controllers: [ReportsController], options: { role: 'api' as const, http: { owner } } };
}

type WithUser = HttpRequest & { user?: string };

class LoginGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<WithUser>();
    const { authorization } = request.headers;
    if (authorization === undefined) throw new UnauthorizedException();
    request.user = String(authorization).replace('Bearer of ', '');
    return true;
  }
}

@Controller('reports')
@UseGuards(LoginGuard)
class GuardedController {
  @Post()
  @AsyncEndpoint(Report)
  create() {
    return { title: 'Bees' };
  }
}

describe.each(STACKS)('The owner of a job, on %s', (stack) => {
  it('sees, follows and cancels it', async () => {
    const app = await startApp(stack, ownedBy(byHeader));
    const { job } = await app.post('/reports', { title: 'Bees' }, ANN);
    expect((await app.get(job.links.self, ANN)).status).toBe(202);
    expect((await app.get(job.links.result, ANN)).status).toBe(202);
    expect((await app.delete(job.links.self, ANN)).status).toBe(200);
    expect((await app.jobs.find(job.id))?.owner).toBe('ann');
  });

  it.each([
    ['status', 'GET', ''],
    ['result', 'GET', '/result'],
    ['cancel', 'DELETE', ''],
  ])('is the only one with access: for another the %s is that of an unknown job', async (_what, method, suffix) => {
    const app = await startApp(stack, ownedBy(byHeader));
    const { job } = await app.post('/reports', { title: 'Bees' }, ANN);
    const foreign = await app.send(method, job.links.self + suffix, { headers: BOB });
    const nobody = await app.send(method, job.links.self + suffix);
    const unknown = await app.send(method, `/jobs/${UNKNOWN_ID}${suffix}`, { headers: BOB });

    expect(unknown.refusal).toEqual(refused(404, 'JOB_NOT_FOUND'));
    for (const { status, text, headers } of [foreign, nobody]) {
      expect([status, text]).toEqual([unknown.status, unknown.text.replaceAll(UNKNOWN_ID, job.id)]);
      expect([...headers.keys()]).toEqual([...unknown.headers.keys()]);
    }
    expect((await app.jobs.find(job.id))?.status).toBe('Queued');
  });

  it('keeps the result of a terminal job hidden from others', async () => {
    const app = await startApp(stack, {
      controllers: [ReportsController],
      providers: [ReportHandler],
      options: { http: { owner: byHeader } },
    });
    const { job } = await app.post('/reports', { title: 'Bees' }, ANN);
    expect((await app.ended(job, ANN)).status).toBe(200);
    expect((await app.get(job.links.self, BOB)).refusal).toEqual(refused(404, 'JOB_NOT_FOUND'));
    expect((await app.get(job.links.result, BOB)).text).not.toContain('About');
    expect((await app.delete(job.links.self, BOB)).refusal).toEqual(refused(404, 'JOB_NOT_FOUND'));
  });

  it('may be null: then requests without an owner see the job, and others do not', async () => {
    const app = await startApp(stack, ownedBy(byHeader));
    const { job } = await app.post('/reports', { title: 'Bees' });
    expect((await app.get(job.links.self)).status).toBe(202);
    expect((await app.get(job.links.self, ANN)).status).toBe(404);
  });

  it('is null when the function returns undefined, as for an absent user', async () => {
    const app = await startApp(
      stack,
      ownedBy((request) => (request as WithUser).user as string),
    );
    const { job } = await app.post('/reports', { title: 'Bees' });
    expect((await app.get(job.links.self)).status).toBe(202);
    expect((await app.delete(job.links.self)).status).toBe(200);
  });

  it.each([[{ id: 'ann' }], [17], [Number.NaN]])(
    'must be a string: when the function returns %j, it is an internal error and nothing is queued',
    async (principal) => {
      const app = await startApp(
        stack,
        ownedBy((request) => (byHeader(request) === 'ann' ? (principal as never) : byHeader(request))),
      );
      const { job } = await app.post('/reports', { title: 'Wasps' }, BOB);
      for (const answer of [await app.post('/reports', { title: 'Bees' }, ANN), await app.get(job.links.self, ANN)]) {
        expect(answer.refusal).toEqual(refused(500, 'INTERNAL_ERROR'));
        expect(app.log.text).toContain(`http.owner returned a value of type ${typeof principal}`);
      }
      expect((await app.all()).map(({ owner }) => owner)).toEqual(['bob']);
    },
  );

  it('may be determined asynchronously, and from the user that a guard added to the request', async () => {
    const app = await startApp(stack, {
      controllers: [GuardedController],
      options: {
        role: 'api',
        http: { guards: [LoginGuard], owner: (request) => Promise.resolve((request as WithUser).user ?? null) },
      },
    });
    const ann = { Authorization: 'Bearer of ann' };
    expect((await app.post('/reports')).status).toBe(401);
    const { job } = await app.post('/reports', undefined, ann);
    expect((await app.jobs.find(job.id))?.owner).toBe('ann');
    expect((await app.get(job.links.self, ann)).status).toBe(202);
    expect((await app.get(job.links.self, { Authorization: 'Bearer of bob' })).status).toBe(404);
    expect((await app.get(job.links.self)).status).toBe(401);
  });

  it('may be refused by an HttpException of the function, and nothing is queued', async () => {
    const app = await startApp(
      stack,
      ownedBy((request) => {
        const user = byHeader(request);
        if (user === null) throw new UnauthorizedException('Who are you?');
        return user;
      }),
    );
    const answer = await app.post('/reports', { title: 'Bees' });
    expect([answer.status, answer.body]).toMatchObject([401, { message: 'Who are you?' }]);
    expect((await app.get(`/jobs/${UNKNOWN_ID}`)).status).toBe(401);
    expect(await app.all()).toEqual([]);
  });

  it('is known to the handler', async () => {
    const app = await startApp(stack, {
      controllers: [ReportsController],
      providers: [handlerOf(Report, (_request, { owner }) => ({ text: `For ${owner}` }))],
      options: { http: { owner: byHeader } },
    });
    const { job } = await app.post('/reports', { title: 'Bees' }, ANN);
    expect((await app.ended(job, ANN)).job.result).toEqual({ text: 'For ann' });
  });
});
