import type { JobRepresentation, JobStore } from 'nestjs-async-endpoints';
import { ACCEPTING, HeldReport, ReportHandler, ReportsController } from './reports.js';
import { STACKS, startApp } from './start-app.js';
import { storeOf } from './stacks.js';

const ID = '5b7e0e4a-8f8b-4c8a-9f1f-8d8f8e8f8e8f';
const STRONG = /^"[\w-]+"$/;

describe.each(STACKS)('The ETag of a status answer, on %s', (stack) => {
  it('is strong, constant until the job changes, and new with each change', async () => {
    const held = new HeldReport();
    const app = await startApp(stack, { controllers: [ReportsController], providers: [held.Handler] });
    const { job } = await app.post('/reports', { title: 'Bees' });
    const context = await held.started.opened;
    const running = await app.get(job.links.self);
    const again = await app.get(job.links.self);
    await context.progress(0.5);
    const halfway = await app.get(job.links.self);
    held.finish.open({ text: '' });
    const ended = await app.ended(job);
    const tags = [running, halfway, ended].map((answer) => answer.header('ETag'));

    for (const tag of tags) expect(tag).toMatch(STRONG);
    expect(again.header('ETag')).toBe(tags[0]);
    expect(new Set(tags).size).toBe(3);
  });

  it('differs when an id is used again after its job was purged', async () => {
    let now = Date.now();
    const store = await storeOf(stack, { now: () => now });
    const app = await startApp(stack, { ...ACCEPTING, options: { role: 'api', store } });
    const submit = () => app.post('/reports', { title: 'Bees' }, { 'X-Async-Request-Id': ID });
    await submit();
    await app.delete(`/jobs/${ID}`);
    const first = await app.get(`/jobs/${ID}`);
    now += 86_400_000;
    await store.purge(1);
    await submit();
    await app.delete(`/jobs/${ID}`);
    const second = await app.get(`/jobs/${ID}`);
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.header('ETag')).not.toBe(first.header('ETag'));
  });

  it('comes with Cache-Control and Vary, and keeps the Vary of CORS', async () => {
    const app = await startApp(stack, {
      ...ACCEPTING,
      configure: (nest) => nest.enableCors({ origin: ['https://bees.example'] }),
    });
    const { job } = await app.post('/reports', { title: 'Bees' });
    const answer = await app.get(job.links.self, { Origin: 'https://bees.example' });
    expect(answer.header('Cache-Control')).toBe('private, no-cache');
    expect(answer.header('Vary')?.split(/, */).toSorted()).toEqual(['Origin', 'Prefer']);
  });
});

describe.each(STACKS)('If-None-Match, on %s', (stack) => {
  it.each<[string, (tag: string) => string]>([
    ['the tag', (tag) => tag],
    ['the tag, weakened by a proxy', (tag) => `W/${tag}`],
    ['one of several', (tag) => `"other", W/"another" , ${tag}`],
    ['anything', () => '*'],
  ])('with %s gets 304 without a body from status and result', async (_what, condition) => {
    const app = await startApp(stack, { controllers: [ReportsController], providers: [ReportHandler] });
    const { job } = await app.post('/reports', { title: 'Bees' });
    await app.ended(job);
    for (const path of [job.links.self, job.links.result]) {
      const full = await app.get(path);
      const answer = await app.get(path, { 'If-None-Match': condition(full.header('ETag') as string) });
      expect([answer.status, answer.text]).toEqual([304, '']);
      for (const name of ['ETag', 'Cache-Control', 'Vary']) {
        expect([name, answer.header(name)]).toEqual([name, full.header(name)]);
      }
      for (const name of ['Content-Type', 'Content-Length']) expect([name, answer.header(name)]).toEqual([name, null]);
    }
  });

  it('gets 304 without parsing the stored result, also with Prefer: wait', async () => {
    const store = await storeOf(stack);
    const app = await startApp(stack, { ...ACCEPTING, options: { role: 'api', store } });
    const { job } = await app.post('/reports', { title: 'Bees' });
    await completeWith(store, job, '{"not": JSON');
    const tag = (await app.get(job.links.self, { 'If-None-Match': '*' })).header('ETag') as string;
    expect(tag).toMatch(STRONG);
    for (const path of [job.links.self, job.links.result]) {
      for (const headers of [{}, { Prefer: 'wait=5' }] as Record<string, string>[]) {
        const answer = await app.get(path, { ...headers, 'If-None-Match': tag });
        expect([answer.status, answer.text, answer.header('ETag')]).toEqual([304, '', tag]);
        expect((await app.get(path, headers)).status).toBe(500);
        expect((await app.get(path, { ...headers, 'If-None-Match': '"other"' })).status).toBe(500);
      }
    }
  });

  it('gets 304 with Retry-After while the job is not terminal', async () => {
    const app = await startApp(stack, ACCEPTING);
    const { job } = await app.post('/reports', { title: 'Bees' });
    const tag = (await app.get(job.links.self)).header('ETag') as string;
    const answer = await app.get(job.links.self, { 'If-None-Match': tag });
    expect([answer.status, answer.header('Retry-After')]).toEqual([304, '1']);
  });

  it.each(['"other"', 'W/"other"', 'no tag at all', '', '"', ',,,'])(
    'with another tag gets the full response: %s',
    async (condition) => {
      const app = await startApp(stack, ACCEPTING);
      const { job } = await app.post('/reports', { title: 'Bees' });
      const answer = await app.get(job.links.self, { 'If-None-Match': condition });
      expect([answer.status, answer.body]).toEqual([202, job]);
    },
  );

  it('gets the full response after the job has changed', async () => {
    const app = await startApp(stack, ACCEPTING);
    const { job } = await app.post('/reports', { title: 'Bees' });
    const tag = (await app.get(job.links.self)).header('ETag') as string;
    await app.delete(job.links.self);
    const answer = await app.get(job.links.self, { 'If-None-Match': tag });
    expect([answer.status, answer.job.status]).toEqual([200, 'Canceled']);
  });

  it('is ignored for an unknown job and for a cancellation', async () => {
    const app = await startApp(stack, ACCEPTING);
    expect((await app.get(`/jobs/${ID}`, { 'If-None-Match': '*' })).status).toBe(404);
    const { job } = await app.post('/reports', { title: 'Bees' }, { 'If-None-Match': '*' });
    const canceled = await app.delete(job.links.self, { 'If-None-Match': '*' });
    expect([canceled.status, canceled.job.status]).toEqual([200, 'Canceled']);
    expect((await app.get(job.links.result, { 'If-None-Match': '*' })).status).toBe(410);
  });

  it('is compared with the ETag that response.jobStatus sets or removes', async () => {
    const app = await startApp(stack, {
      ...ACCEPTING,
      options: {
        role: 'api',
        response: {
          jobStatus: (_job, { request, reply }) => {
            const { ETag: _own, ...headers } = reply.headers;
            const tagged = { ...headers, etag: '"mine"', 'Content-Language': 'en' };
            if (request.url.endsWith('?teapot')) return { ...reply, status: 418, headers: tagged };
            return { ...reply, headers: request.url.endsWith('?tagged') ? tagged : headers };
          },
        },
      },
    });
    const { job } = await app.post('/reports', { title: 'Bees' });
    const known = { 'If-None-Match': '"mine"' };
    const unchanged = await app.get(`${job.links.self}?tagged`, known);
    expect([unchanged.status, unchanged.header('ETag'), unchanged.header('Content-Language')]).toEqual([
      304,
      '"mine"',
      null,
    ]);
    expect((await app.get(`${job.links.self}?teapot`, known)).status).toBe(418);
    expect((await app.get(job.links.self, known)).status).toBe(202);
  });
});

describe.each(STACKS)('HEAD, on %s', (stack) => {
  it('gets the same from status and result as GET, without a body, including 304', async () => {
    const app = await startApp(stack, { controllers: [ReportsController], providers: [ReportHandler] });
    const { job } = await app.post('/reports', { title: 'Bees' });
    await app.ended(job);
    for (const path of [job.links.self, job.links.result]) {
      const get = await app.get(path);
      const head = await app.send('HEAD', path);
      expect([head.status, head.text]).toEqual([200, '']);
      for (const name of ['ETag', 'Cache-Control', 'Vary', 'Content-Type', 'Content-Length']) {
        expect([name, head.header(name)]).toEqual([name, get.header(name)]);
      }
      const known = { 'If-None-Match': get.header('ETag') as string };
      expect((await app.send('HEAD', path, { headers: known })).status).toBe(304);
    }
  });
});

/** Completes the job as a worker does, with this text as its stored result. */
async function completeWith(store: JobStore, { id, name }: JobRepresentation, result: string): Promise<void> {
  const [claim] = await store.claim({ worker: 'w', leaseMs: 60_000, limit: 1, slots: new Map([[name, 1]]) });
  await store.settle([{ id, name, fence: claim?.fence as number, verb: 'complete', result }]);
}
