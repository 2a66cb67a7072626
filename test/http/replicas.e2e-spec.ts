import { Body, Controller, Post } from '@nestjs/common';
import { AsyncEndpoint, defineJob } from 'nestjs-async-endpoints';
import { eventually } from 'nestjs-async-endpoints/testing';
import { type Answer, refused } from './answer.js';
import { EventStream } from './event-stream.js';
import { ACCEPTING, HeldReport, ReportsController, type ReportRequest, UNKNOWN_ID } from './reports.js';
import { type AppParts, type RunningApp, type StackName, startApp } from './start-app.js';
import { storesOf } from './stacks.js';
import { watched, type WatchedStore } from './watched-store.js';

const BEES = { title: 'Bees' };
const WAIT = { Prefer: 'wait=600' };
const MIXED: StackName[] = ['Express and Redis', 'Fastify and Redis', 'Express and Redis'];

const Poster = defineJob<ReportRequest>('Poster', { maxQueueSize: 7 });

@Controller('posters')
class PostersController {
  @Post()
  @AsyncEndpoint(Poster)
  create(@Body() request: ReportRequest) {
    return request;
  }
}

type Replica = RunningApp & { readonly store: WatchedStore };

/** Three APIs of both adapters on one Redis and, where a handler is given, one worker. */
async function startReplicas(
  parts: { held?: HeldReport } & Pick<NonNullable<AppParts['options']>, 'jobs'> = {},
): Promise<[Replica, Replica, Replica]> {
  const stores = await storesOf('Express and Redis');
  const { held, jobs } = parts;
  if (held) {
    await startApp('Express', { providers: [held.Handler], options: { role: 'worker', store: stores.replica() } });
  }
  const replicas = MIXED.map(async (stack) => {
    const store = watched(stores.replica());
    const controllers = [ReportsController, PostersController];
    const options = { role: 'api' as const, store, jobs, http: { maxWaitMs: 600_000 } };
    return Object.assign(await startApp(stack, { ...ACCEPTING, controllers, options }), { store });
  });
  return Promise.all(replicas) as Promise<[Replica, Replica, Replica]>;
}

/** As many requests at once, spread over all. */
function flood(replicas: Replica[], size: number, send: (app: RunningApp, n: number) => Promise<Answer>) {
  return Promise.all(Array.from({ length: size }, (_, n) => send(replicas[n % replicas.length] as Replica, n)));
}

function count(answers: Answer[], status: number): number {
  return answers.filter((answer) => answer.status === status).length;
}

describe('All replicas give the same responses', () => {
  it('for a job that is submitted on one, awaited on another and followed on a third', async () => {
    const held = new HeldReport();
    const [a, b, c] = await startReplicas({ held });
    const { job } = await a.post('/reports', BEES);
    const context = await held.started.opened;
    const stream = await EventStream.open(c, job.links.events);
    expect((await stream.nextJob())?.job.status).toBe('InProgress');
    const awaiting = [b.get(job.links.self, WAIT), b.get(job.links.result, WAIT), c.get(job.links.self, WAIT)];
    await eventually(() => b.store.watching === 1);
    await context.progress(0.5, 'half way');
    expect(await stream.nextJob()).toMatchObject({ event: 'progress', job: { progress: { fraction: 0.5 } } });
    held.finish.open({ text: 'About Bees' });
    expect((await stream.nextJob())?.job.result).toEqual({ text: 'About Bees' });
    expect(await stream.next()).toBeNull();
    expect((await Promise.all(awaiting)).map(({ status }) => status)).toEqual([200, 200, 200]);
    for (const { get } of [a, b, c].map((app) => ({ get: () => app.get(job.links.result) }))) {
      expect((await get()).body).toEqual({ text: 'About Bees' });
    }
    await eventually(() => [a, b, c].every(({ store }) => store.watching === 0));
  });

  it('when one cancels a job: its signal is aborted, and waits and streams on the others end', async () => {
    const held = new HeldReport();
    const [a, b, c] = await startReplicas({ held });
    const { job } = await a.post('/reports', BEES);
    const { signal } = await held.started.opened;
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    const stream = await EventStream.open(c, job.links.events);
    await stream.nextJob();
    const awaiting = a.get(job.links.result, WAIT);
    await eventually(() => a.store.watching === 1);
    expect((await b.delete(job.links.self)).job.status).toBe('Canceled');
    await aborted;
    expect((await awaiting).refusal).toEqual(refused(410, 'JOB_CANCELED'));
    expect((await stream.nextJob())?.job.status).toBe('Canceled');
    expect(await stream.next()).toBeNull();
    for (const app of [a, b, c]) expect((await app.delete(job.links.self)).status).toBe(200);
    held.finish.open({ text: '' });
  });

  it('byte by byte: representation, ETag and 304', async () => {
    const replicas = await startReplicas();
    const { job } = await replicas[0].post('/reports', BEES);
    const answers = await Promise.all(replicas.map((app) => app.get(job.links.self)));
    const [tag] = answers.map((answer) => answer.header('ETag'));
    expect(new Set(answers.map(({ status, text, headers }) => [status, text, headers.get('ETag')].join())).size).toBe(
      1,
    );
    for (const app of replicas) {
      expect((await app.get(job.links.self, { 'If-None-Match': tag as string })).status).toBe(304);
    }
    const news = replicas[2].get(job.links.self, { ...WAIT, 'If-None-Match': tag as string });
    await eventually(() => replicas[2].store.watching === 1);
    await replicas[1].delete(job.links.self);
    expect((await news).job.status).toBe('Canceled');
    for (const app of replicas) {
      expect((await app.get(job.links.self, { 'If-None-Match': tag as string })).status).toBe(200);
    }
  });
});

describe('A hundred concurrent identical requests to several replicas', () => {
  const identified: [string, Record<string, string>, Answer['refusal']][] = [
    ['Idempotency-Key', { 'Idempotency-Key': 'order-7' }, refused(422, 'IDEMPOTENCY_KEY_REUSED')],
    ['X-Async-Request-Id', { 'X-Async-Request-Id': UNKNOWN_ID }, refused(409, 'REQUEST_ID_CONFLICT')],
  ];

  it.each(identified)('create one job by their %s, and 99 replays', async (_name, headers, conflict) => {
    const replicas = await startReplicas();
    const answers = await flood(replicas, 100, (app) => app.post('/reports', BEES, headers));
    expect(count(answers, 202)).toBe(100);
    expect(answers.filter((answer) => answer.header('Idempotency-Replayed') === null)).toHaveLength(1);
    expect(answers.filter((answer) => answer.header('Idempotency-Replayed') === 'true')).toHaveLength(99);
    expect(new Set(answers.map(({ job }) => job.id)).size).toBe(1);
    expect(await replicas[1].all()).toHaveLength(1);
    const others = await flood(replicas, 6, (app) => app.post('/reports', { title: 'Wasps' }, headers));
    for (const other of others) expect(other.refusal).toEqual(conflict);
    expect(await replicas[1].all()).toHaveLength(1);
  });

  it.each(identified)(
    'with two payloads create one job by their %s, and all requests with the other payload are refused',
    async (_n, headers, no) => {
      const replicas = await startReplicas();
      const answers = await flood(replicas, 100, (app, n) =>
        app.post('/reports', { title: n % 2 ? 'Bees' : 'Wasps' }, headers),
      );
      expect([count(answers, 202), count(answers, no.status)]).toEqual([50, 50]);
      expect(await replicas[0].all()).toHaveLength(1);
    },
  );
});

describe('Many concurrent submissions to all replicas', () => {
  it('fill the queue exactly to its limit', async () => {
    const replicas = await startReplicas({ jobs: { maxQueueSize: 20 } });
    const answers = await flood(replicas, 90, (app, n) => app.post('/reports', { title: `${n}` }));
    expect([count(answers, 202), count(answers, 503)]).toEqual([20, 70]);
    for (const answer of answers.filter(({ status }) => status === 503)) {
      expect(answer.refusal).toEqual(refused(503, 'QUEUE_FULL'));
      expect(Number(answer.header('Retry-After'))).toBeGreaterThanOrEqual(1);
    }
    expect(await replicas[0].all()).toHaveLength(20);
    const [first] = await replicas[1].all();
    await replicas[1].delete(`/jobs/${first?.id}`);
    expect(count(await flood(replicas, 9, (app, n) => app.post('/reports', { title: `${n}` })), 202)).toBe(1);
  });

  it('fill the queue of a name exactly to its limit, without effect on another name', async () => {
    const replicas = await startReplicas({ jobs: { maxQueueSize: 20 } });
    const answers = await flood(replicas, 90, (app, n) => app.post(n % 2 ? '/posters' : '/reports', { title: `${n}` }));
    const accepted = answers.filter(({ status }) => status === 202);
    const posters = accepted.filter(({ job }) => job.name === 'Poster');
    expect(accepted).toHaveLength(20);
    expect(posters.length).toBeLessThanOrEqual(7);
    const stats = await replicas[2].jobs.stats();
    expect(stats.find(({ name }) => name === 'Poster')?.count).toBe(posters.length);
    const alone = await startReplicas();
    expect(count(await flood(alone, 60, (app, n) => app.post('/posters', { title: `${n}` })), 202)).toBe(7);
  });
});

describe('A replica that shuts down', () => {
  it('ends its own waits and streams with the current state, and no others', async () => {
    const held = new HeldReport();
    const [a, b, c] = await startReplicas({ held });
    const { job } = await a.post('/reports', BEES);
    await held.started.opened;
    const [leaving, staying] = [
      await EventStream.open(a, job.links.events),
      await EventStream.open(b, job.links.events),
    ];
    await leaving.nextJob();
    await staying.nextJob();
    const [ended, going] = [a.get(job.links.self, WAIT), c.get(job.links.self, WAIT)];
    await eventually(() => c.store.watching === 1);
    await eventually(() => a.store.reads >= 4);
    await a.close();
    expect([(await ended).status, (await ended).job.status]).toEqual([202, 'InProgress']);
    expect(await leaving.next()).toBeNull();
    expect([a, b, c].map(({ store }) => store.watching)).toEqual([0, 1, 1]);
    held.finish.open({ text: 'at last' });
    expect((await going).job.result).toEqual({ text: 'at last' });
    expect((await staying.nextJob())?.job.status).toBe('Completed');
    expect((await b.get(job.links.result)).body).toEqual({ text: 'at last' });
  });
});

describe('A client that disconnects', () => {
  it('ends its subscription on its replica only', async () => {
    const [a, b] = await startReplicas();
    const { job } = await a.post('/reports', BEES);
    const streams = [await EventStream.open(a, job.links.events), await EventStream.open(b, job.links.events)] as const;
    for (const stream of streams) await stream.nextJob();
    const leaving = new AbortController();
    const wait = fetch(`http://127.0.0.1:${a.port}${job.links.self}`, { headers: WAIT, signal: leaving.signal });
    await eventually(() => a.store.reads >= 4);
    expect([a.store.watching, b.store.watching]).toEqual([1, 1]);
    streams[0].close();
    leaving.abort();
    await expect(wait).rejects.toThrow();
    await eventually(() => a.store.watching === 0);
    expect(b.store.watching).toBe(1);
    streams[1].close();
    await eventually(() => b.store.watching === 0);
  });
});
