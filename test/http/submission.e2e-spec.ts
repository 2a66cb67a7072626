import { Body, Controller, Param, Post, Query } from '@nestjs/common';
import { AsyncEndpoint, defineJob } from 'nestjs-async-endpoints';
import { refused } from './answer.js';
import { ACCEPTING, HeldReport, Report, ReportHandler, type ReportRequest, ReportsController } from './reports.js';
import { STACKS, startApp } from './start-app.js';
import { storesOf } from './stacks.js';

const ID = '5b7e0e4a-8f8b-4c8a-9f1f-8d8f8e8f8e8f';
const WITH_ID = { 'X-Async-Request-Id': ID };
const Digest = defineJob<ReportRequest, string>('Digest');

@Controller()
class ManyRoutesController {
  @Post('digests')
  @AsyncEndpoint(Digest)
  digest(@Body() request: ReportRequest) {
    return request;
  }

  @Post('reports/:shelf')
  @AsyncEndpoint(Report)
  shelved(@Body() request: ReportRequest, @Param('shelf') shelf: string, @Query('tone') tone = 'plain') {
    return { ...request, title: `${request.title} on ${shelf}, ${tone}` };
  }
}

describe.each(STACKS)('Submitting, on %s', (stack) => {
  it('returns 202 with Location, Retry-After, X-Async-Request-Id and the job', async () => {
    const app = await startApp(stack, ACCEPTING);
    const answer = await app.post('/reports', { title: 'Bees' });

    expect(answer.status).toBe(202);
    expect(answer.header('Content-Type')).toMatch(/^application\/json\b/);
    expect(answer.header('Location')).toBe(`/jobs/${answer.job.id}`);
    expect(answer.header('Retry-After')).toBe('1');
    expect(answer.header('X-Async-Request-Id')).toBe(answer.job.id);
    expect(answer.header('Idempotency-Replayed')).toBeNull();
    expect(answer.header('Preference-Applied')).toBeNull();
    expect(await app.all()).toHaveLength(1);
  });

  it('passes the return value of the method to the handler', async () => {
    const app = await startApp(stack, { controllers: [ReportsController], providers: [ReportHandler] });
    const { job } = await app.post('/reports', { title: 'Bees' });
    expect((await app.ended(job)).job.result).toEqual({ text: 'About Bees' });
  });

  it.each(['respond-async', 'Respond-Async', 'foo=bar, respond-async', 'respond-async; foo, wait=x'])(
    'acknowledges Prefer: %s',
    async (prefer) => {
      const app = await startApp(stack, ACCEPTING);
      const answer = await app.post('/reports', { title: 'Bees' }, { Prefer: prefer });
      expect([answer.status, answer.header('Preference-Applied')]).toEqual([202, 'respond-async']);
    },
  );

  it.each(['', ';;,=', 'do-not-respond-async', 'wait=-1', 'wait=soon', 'handling=lenient'])(
    'ignores Prefer: "%s"',
    async (prefer) => {
      const app = await startApp(stack, ACCEPTING);
      const answer = await app.post('/reports', { title: 'Bees' }, { Prefer: prefer });
      expect([answer.status, answer.header('Preference-Applied')]).toEqual([202, null]);
    },
  );

  it('creates a job for each request without an id', async () => {
    const app = await startApp(stack, ACCEPTING);
    const first = await app.post('/reports', { title: 'Bees' });
    const second = await app.post('/reports', { title: 'Bees' });
    expect(second.job.id).not.toBe(first.job.id);
    expect(await app.all()).toHaveLength(2);
  });
});

describe.each(STACKS)('X-Async-Request-Id, on %s', (stack) => {
  it('becomes the id of the job', async () => {
    const app = await startApp(stack, ACCEPTING);
    const answer = await app.post('/reports', { title: 'Bees' }, WITH_ID);
    expect([answer.status, answer.job.id, answer.header('X-Async-Request-Id')]).toEqual([202, ID, ID]);
    expect((await app.get(`/jobs/${ID}`)).job.id).toBe(ID);
  });

  it('is accepted in upper case, and is the same id as in lower case', async () => {
    const app = await startApp(stack, ACCEPTING);
    const first = await app.post('/reports', { title: 'Bees' }, { 'X-Async-Request-Id': ID.toUpperCase() });
    const second = await app.post('/reports', { title: 'Bees' }, WITH_ID);
    expect([first.job.id, second.job.id]).toEqual([ID, ID]);
    expect(second.header('Idempotency-Replayed')).toBe('true');
    expect((await app.get(`/jobs/${ID.toUpperCase()}`)).job.id).toBe(ID);
  });

  it('makes a repeat a replay of the same job', async () => {
    const app = await startApp(stack, ACCEPTING);
    const first = await app.post('/reports', { title: 'Bees' }, WITH_ID);
    const second = await app.post('/reports', { title: 'Bees' }, { ...WITH_ID, Prefer: 'respond-async' });

    expect(first.header('Idempotency-Replayed')).toBeNull();
    expect(second.status).toBe(202);
    expect(second.header('Idempotency-Replayed')).toBe('true');
    expect(second.header('Location')).toBe(`/jobs/${ID}`);
    expect(second.header('Retry-After')).toBe('1');
    expect(second.header('Preference-Applied')).toBe('respond-async');
    expect(second.body).toEqual(first.body);
    expect(await app.all()).toHaveLength(1);
  });

  it('replays 202 while the job runs, and 200 with the result when it is terminal', async () => {
    const held = new HeldReport();
    const app = await startApp(stack, { controllers: [ReportsController], providers: [held.Handler] });
    const { job } = await app.post('/reports', { title: 'Bees' }, WITH_ID);
    await held.started.opened;
    const running = await app.post('/reports', { title: 'Bees' }, WITH_ID);
    held.finish.open({ text: 'done' });
    await app.ended(job);
    const ended = await app.post('/reports', { title: 'Bees' }, WITH_ID);

    expect([running.status, running.job.status]).toEqual([202, 'InProgress']);
    expect([ended.status, ended.job.status, ended.job.result]).toEqual([200, 'Completed', { text: 'done' }]);
    expect(ended.header('Idempotency-Replayed')).toBe('true');
    expect(ended.header('Location')).toBe(`/jobs/${ID}`);
    expect(ended.header('Retry-After')).toBeNull();
  });

  it('ignores the order of keys and white space in the JSON', async () => {
    const app = await startApp(stack, ACCEPTING);
    await app.post('/reports', '{"title":"Bees","pages":2,"by":{"a":1,"b":[1,2]}}', WITH_ID);
    const same = await app.post('/reports', '{ "by": {"b":[1,2], "a":1},\n "pages": 2.0, "title": "Bees" }', WITH_ID);
    const other = await app.post('/reports', '{"title":"Bees","pages":2,"by":{"a":1,"b":[2,1]}}', WITH_ID);
    expect([same.status, same.header('Idempotency-Replayed')]).toEqual([202, 'true']);
    expect(other.status).toBe(409); // the order of a list is part of it
  });

  it('is a conflict for another payload, job name, route value or query, without details of the job', async () => {
    const app = await startApp(stack, {
      controllers: [ReportsController, ManyRoutesController],
      options: { role: 'api' },
    });
    await app.post('/reports/attic?tone=dry', { title: 'secret title' }, WITH_ID);
    const attempts = [
      await app.post('/reports/attic?tone=dry', { title: 'guess' }, WITH_ID),
      await app.post('/digests', { title: 'secret title' }, WITH_ID),
      await app.post('/reports/cellar?tone=dry', { title: 'secret title' }, WITH_ID),
      await app.post('/reports/attic?tone=wet', { title: 'secret title' }, WITH_ID),
    ];

    for (const answer of attempts) {
      expect(answer.refusal).toEqual(refused(409, 'REQUEST_ID_CONFLICT'));
      expect(answer.problem).toEqual({
        type: 'urn:async-endpoints:problem:request-id-conflict',
        title: 'The request id was used for a different request.',
        status: 409,
        detail: 'The request id was used for a different request.',
        instance: expect.stringMatching(/^\/(reports\/\w+|digests)$/) as string,
        code: 'REQUEST_ID_CONFLICT',
      });
      expect(answer.header('Location')).toBeNull();
      expect(answer.text).not.toMatch(/secret|dry|Queued|Report/);
    }
    expect(await app.all()).toHaveLength(1);
  });

  it('is a conflict for another owner, even with the same payload', async () => {
    const app = await startApp(stack, {
      ...ACCEPTING,
      options: { role: 'api', http: { owner: ({ headers }) => String(headers['x-user']) } },
    });
    await app.post('/reports', { title: 'Bees' }, { ...WITH_ID, 'X-User': 'ann' });
    const other = await app.post('/reports', { title: 'Bees' }, { ...WITH_ID, 'X-User': 'bob' });
    const again = await app.post('/reports', { title: 'Bees' }, { ...WITH_ID, 'X-User': 'ann' });

    expect(other.refusal).toEqual(refused(409, 'REQUEST_ID_CONFLICT'));
    expect(other.text).not.toContain('ann');
    expect(again.header('Idempotency-Replayed')).toBe('true');
  });

  it('is a conflict with the id of a job that was submitted without one', async () => {
    const app = await startApp(stack, ACCEPTING);
    const { job } = await app.post('/reports', { title: 'Bees' });
    const guessed = await app.post('/reports', { title: 'Bees' }, { 'X-Async-Request-Id': job.id });
    expect(guessed.refusal).toEqual(refused(409, 'REQUEST_ID_CONFLICT'));
  });

  it('creates one job from 50 concurrent identical requests', async () => {
    let runs = 0;
    const held = new HeldReport();
    const app = await startApp(stack, {
      controllers: [ReportsController],
      providers: [held.Handler],
      options: { worker: { maxConcurrency: 50 } },
    });
    void held.started.opened.then(() => runs++);
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => app.post('/reports', { title: 'Bees' }, WITH_ID)),
    );
    held.finish.open({ text: 'once' });

    expect(new Set(answers.map(({ status, job }) => `${status} ${job.id}`))).toEqual(new Set([`202 ${ID}`]));
    expect(answers.filter((answer) => answer.header('Idempotency-Replayed') === null)).toHaveLength(1);
    expect(await app.all()).toHaveLength(1);
    expect((await app.jobs.waitFor(ID)).fence).toBe(1); // claimed once
    expect(runs).toBe(1);
  });

  it('accepts one of many concurrent requests with different payloads', async () => {
    const app = await startApp(stack, ACCEPTING);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => app.post('/reports', { title: `Report ${index}` }, WITH_ID)),
    );
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(19);
  });

  it('is shared by all instances: another replica replays', async () => {
    const stores = await storesOf(stack);
    const one = await startApp(stack, { ...ACCEPTING, options: { role: 'api', store: stores.replica() } });
    const other = await startApp(stack, { ...ACCEPTING, options: { role: 'api', store: stores.replica() } });
    await one.post('/reports', { title: 'Bees' }, WITH_ID);
    const replay = await other.post('/reports', { title: 'Bees' }, WITH_ID);
    expect([replay.status, replay.header('Idempotency-Replayed')]).toEqual([202, 'true']);
  });

  it.each([
    ['malformed', 'not-a-uuid'],
    ['empty', ''],
    ['too short', ID.slice(1)],
    ['in braces', `{${ID}}`],
    ['nil', '00000000-0000-0000-0000-000000000000'],
    ['two in one', `${ID}, ${ID}`],
    ['a path', '../../etc/passwd'],
  ])('that is %s is refused with 400, and nothing is queued', async (_what, id) => {
    const app = await startApp(stack, ACCEPTING);
    const answer = await app.post('/reports', { title: 'Bees' }, { 'X-Async-Request-Id': id });
    expect(answer.refusal).toEqual(refused(400, 'INVALID_REQUEST_ID'));
    expect(answer.problem.instance).toBe('/reports');
    expect(await app.all()).toEqual([]);
  });

  it('given twice is refused with 400, and nothing is queued', async () => {
    const app = await startApp(stack, ACCEPTING);
    const headers = { 'X-Async-Request-Id': [ID, ID], 'Content-Type': 'application/json' };
    const answer = await app.sendRaw('POST', '/reports', headers, '{"title":"Bees"}');
    expect(answer.refusal).toEqual(refused(400, 'INVALID_REQUEST_ID'));
    expect(await app.all()).toEqual([]);
  });
});
