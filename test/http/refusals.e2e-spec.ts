import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { AsyncEndpoint, defineJob } from 'nestjs-async-endpoints';
import { refused } from './answer.js';
import { ACCEPTING, type ReportRequest, ReportsController, UNKNOWN_ID } from './reports.js';
import { ADAPTERS, STACKS, startApp } from './start-app.js';
import { storesOf } from './stacks.js';

const Poster = defineJob<ReportRequest>('Poster', { maxQueueSize: 1, maxPayloadBytes: 400 });

@Controller()
class OtherController {
  @Post('posters')
  @AsyncEndpoint(Poster)
  poster(@Body() request: ReportRequest) {
    return request;
  }

  @Post('sync')
  @HttpCode(200)
  sync(@Body() body: unknown) {
    return { body };
  }
}

describe.each(ADAPTERS)('A body that cannot be read, on %s', (adapter) => {
  it.each(['{"title": ', '{title: 1}', 'null garbage', '[1,2'])(
    'is refused with 400, as on a synchronous route: %j',
    async (body) => {
      const app = await startApp(adapter, {
        controllers: [ReportsController, OtherController],
        options: { role: 'api' },
      });
      const headers = { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(body)) };
      const answer = await app.sendRaw('POST', '/reports', headers, body);
      const sync = await app.sendRaw('POST', '/sync', headers, body);
      expect([answer.status, sync.status, await app.all()]).toEqual([400, 400, []]);
    },
  );

  it('that is JSON null causes no internal error', async () => {
    const app = await startApp(adapter, ACCEPTING);
    expect((await app.post('/reports', 'null')).status).toBeLessThan(500);
  });

  it.each(['application/xml', 'image/png', 'application/jsonx', ''])(
    'with the content type %j is refused with 415, and nothing is queued',
    async (type) => {
      const app = await startApp(adapter, ACCEPTING);
      for (const length of [{ 'Content-Length': 8 }, { 'Transfer-Encoding': 'chunked' }]) {
        const answer = await app.sendRaw('POST', '/reports', { 'Content-Type': type, ...length }, '<report>');
        expect(answer.status).toBe(415);
      }
      expect(await app.all()).toEqual([]);
    },
  );

  it.runIf(adapter === 'Express')('of plain text, which Fastify accepts, is refused with 415', async () => {
    const app = await startApp(adapter, ACCEPTING);
    const answer = await app.post('/reports', '<report>', { 'Content-Type': 'text/plain' });
    expect(answer.refusal).toEqual(refused(415, 'UNSUPPORTED_MEDIA_TYPE'));
    expect(await app.all()).toEqual([]);
  });

  it('larger than the limit of the adapter is refused with 413, and nothing is queued', async () => {
    const app = await startApp(adapter, ACCEPTING);
    const answer = await app.post('/reports', { title: 'x'.repeat(1_100_000) });
    expect(answer.status).toBe(413);
    expect(await app.all()).toEqual([]);
  });
});

describe.each(STACKS)('A payload larger than allowed, on %s', (stack) => {
  it('is refused with 413 PAYLOAD_TOO_LARGE by jobs.maxPayloadBytes', async () => {
    const app = await startApp(stack, {
      ...ACCEPTING,
      options: { role: 'api', jobs: { maxPayloadBytes: 1_000 } },
    });
    const answer = await app.post('/reports', { title: 'x'.repeat(1_000) });
    expect(answer.refusal).toEqual(refused(413, 'PAYLOAD_TOO_LARGE'));
    expect([answer.problem.title, answer.problem.detail]).toEqual([
      'The request is larger than allowed.',
      'The request is larger than the 1000 bytes allowed.',
    ]);
    expect(await app.all()).toEqual([]);
    expect((await app.post('/reports', { title: 'small' })).status).toBe(202);
  });

  it('is refused by the limit of the job, in bytes and not characters', async () => {
    const app = await startApp(stack, { controllers: [OtherController], options: { role: 'api' } });
    const answer = await app.post('/posters', { title: '🐝'.repeat(100) });
    expect(answer.refusal).toEqual(refused(413, 'PAYLOAD_TOO_LARGE'));
  });
});

describe.each(STACKS)('A full queue, on %s', (stack) => {
  it('refuses with 503 QUEUE_FULL and Retry-After by jobs.maxQueueSize, until there is room', async () => {
    const app = await startApp(stack, { ...ACCEPTING, options: { role: 'api', jobs: { maxQueueSize: 2 } } });
    const { job } = await app.post('/reports', { title: '1' });
    await app.post('/reports', { title: '2' });
    const third = await app.post('/reports', { title: '3' });

    expect(third.refusal).toEqual(refused(503, 'QUEUE_FULL'));
    expect(third.header('Retry-After')).toBe('1');
    expect(await app.all()).toHaveLength(2);
    await app.delete(job.links.self);
    expect((await app.post('/reports', { title: '3' })).status).toBe(202);
  });

  it('refuses with 503 QUEUE_FULL and Retry-After by jobs.maxQueueBytes, until there is room', async () => {
    const app = await startApp(stack, { ...ACCEPTING, options: { role: 'api', jobs: { maxQueueBytes: 10_000 } } });
    const title = 'x'.repeat(7_000);
    const { job } = await app.post('/reports', { title });
    expect((await app.post('/reports', { title })).status).toBe(202);
    const third = await app.post('/reports', { title: '3' });

    expect(third.refusal).toEqual(refused(503, 'QUEUE_FULL'));
    expect(third.header('Retry-After')).toBe('1');
    expect(await app.all()).toHaveLength(2);
    await app.delete(job.links.self);
    expect((await app.post('/reports', { title })).status).toBe(202);
    expect((await app.post('/reports', { title: '3' })).refusal).toEqual(refused(503, 'QUEUE_FULL'));
  });

  it('refuses by the maxQueueSize of a job name, without effect on other names', async () => {
    const app = await startApp(stack, {
      controllers: [ReportsController, OtherController],
      options: { role: 'api' },
    });
    expect((await app.post('/posters', { title: '1' })).status).toBe(202);
    expect((await app.post('/posters', { title: '2' })).refusal).toEqual(refused(503, 'QUEUE_FULL'));
    expect((await app.post('/reports', { title: '2' })).status).toBe(202);
  });

  it('has a limit that all instances share, under concurrent submissions', async () => {
    const stores = await storesOf(stack);
    const options = () => ({ role: 'api' as const, store: stores.replica(), jobs: { maxQueueSize: 5 } });
    const one = await startApp(stack, { ...ACCEPTING, options: options() });
    const other = await startApp(stack, { ...ACCEPTING, options: options() });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 ? one : other).post('/reports', { title: `${index}` })),
    );
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 503)).toHaveLength(15);
    expect(await one.all()).toHaveLength(5);
  });

  it('still replays earlier submissions', async () => {
    const app = await startApp(stack, { ...ACCEPTING, options: { role: 'api', jobs: { maxQueueSize: 1 } } });
    await app.post('/reports', { title: '1' }, { 'X-Async-Request-Id': UNKNOWN_ID });
    const replay = await app.post('/reports', { title: '1' }, { 'X-Async-Request-Id': UNKNOWN_ID });
    expect([replay.status, replay.header('Idempotency-Replayed')]).toEqual([202, 'true']);
  });
});
