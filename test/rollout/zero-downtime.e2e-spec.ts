import type { Sleep } from '@app/demo';
import { isTerminal, type JobRecord } from 'nestjs-async-endpoints';
import { AsyncEndpointsClient } from 'nestjs-async-endpoints/client';
import { eventually } from 'nestjs-async-endpoints/testing';
import type { AppProcess } from '../app-process.js';
import { EventStream } from '../http/event-stream.js';
import { figure, KINDS, System } from '../stores/system.js';
import { Balancer } from './balancer.js';
import { Load } from './load.js';

const SETTINGS = {
  // Longer than it takes the balancer to notice, and each client to ask once more on the connection that it keeps.
  ASYNC_HTTP_SHUTDOWN_DELAY_MS: '1500',
  // Longer than a write waits for a busy disk: no lease may run out here.
  ASYNC_WORKER_LEASE_MS: '10000',
  LOG_FORMAT: 'text',
};
/** What a handler logs of a job of the load. */
const RUN = /\[Sleep(?:V2)? ([0-9a-f-]{36})\] slept 60 ms/g;
const UNKNOWN_TO_ALL = 'Nobody';

describe.each(KINDS)('A rolling update and then a switch from blue to green under load, on %s', (kind) => {
  let system: System;

  beforeAll(async () => {
    system = await System.start(kind);
  });

  afterEach(() => system.reset());

  afterAll(() => system.stop());

  it('fails no request, loses no job, runs none twice, and no worker claims a job without a handler', async () => {
    const first = await release(system, 'demo');
    const balancer = await Balancer.start(first.apis);
    const load = new Load(balancer.url, '/api/demo/sleep', { durationMs: 60 });
    await load.more(20);

    const blue = await release(system, 'demo');
    const followed = await roll(system, first, blue, balancer);
    const rolled = `${load.requests} requests, ${load.accepted.length} jobs and ${followed} more followed by events`;

    const green = await release(system, 'next');
    await load.more(20); // for blue, beside the workers of green
    await balancer.select(green.apis);
    await Promise.all(blue.apis.map(inOrder));
    await eventually(async () => !(await isLeft(system, 'Sleep'))); // or nobody would do them any more
    await load.more(20); // for green, beside the workers of blue
    await Promise.all(blue.workers.map(inOrder));
    await load.more(20);
    await load.stop();

    expect(load.failures).toEqual([]);
    const workers = [...first.workers, ...blue.workers, ...green.workers];
    const jobs = await ranOnce(system, load.accepted, workers);
    const blues = jobs.filter(({ name }) => name === 'Sleep');
    const greens = jobs.filter(({ name }) => name === 'SleepV2');
    expect(new Set(blues.map(({ result }) => result))).toEqual(new Set(['{"durationMs":60}']));
    expect(new Set(greens.map(({ result }) => result))).toEqual(new Set(['{"sleptMs":60}']));
    expect(blues.length + greens.length).toBe(load.accepted.length);
    figure(
      `${kind}, R10: 2 APIs and 2 workers rolled one by one: ${rolled}; 2 streams and 2 long polls ended in order and went on`,
    );
    const each = `${blues.length} jobs of blue, ${greens.length} of green`;
    figure(
      `${kind}, R10: then blue to green, in all ${load.requests} requests, 0 failed; ${each}, 0 lost, 0 run twice`,
    );
  }, 120_000);
});

interface Release {
  readonly apis: readonly AppProcess[];
  readonly workers: readonly AppProcess[];
}

async function release(system: System, which: 'demo' | 'next'): Promise<Release> {
  const [api, worker] = which === 'demo' ? (['api', 'worker'] as const) : (['next', 'next'] as const);
  const start = (role: string) => system.run(role === 'api' ? api : worker, { ...SETTINGS, ASYNC_ROLE: role });
  const [a, b, c, d] = await Promise.all([start('api'), start('api'), start('worker'), start('worker')]);
  return { apis: [a, b], workers: [c, d] };
}

/** One by one, and answers how many jobs a client followed that knew of nothing. */
async function roll(system: System, from: Release, to: Release, balancer: Balancer): Promise<number> {
  const follower = new Follower(balancer.url);
  const apis = [...from.apis];
  for (const [index, next] of to.apis.entries()) {
    const old = apis[index] as AppProcess;
    await balancer.select([...apis, next]);
    const [waiting] = await system.submit(UNKNOWN_TO_ALL, {});
    const open = await openAnswers(old, waiting);
    await inOrder(old);
    await open.endedAndGoesOn(next, () => system.store.cancel([waiting]));
    apis[index] = next;
    await balancer.select(apis);
  }
  for (const old of from.workers) {
    await eventually(async () => (await old.running()) > 0);
    await inOrder(old);
  }
  const heard = await follower.stop();
  expect(new Set(heard)).toEqual(new Set(['Completed']));
  return heard.length;
}

/** Stops it as a rollout does, and sees that it drains and exits with 0. */
async function inOrder(old: AppProcess): Promise<void> {
  old.signal('SIGTERM');
  expect({ exitCode: await old.exitCode(), output: old.output }).toMatchObject({ exitCode: 0 });
}

/** None needed another attempt, and each has one run in what the workers have written. */
async function ranOnce(system: System, ids: readonly string[], workers: readonly AppProcess[]): Promise<JobRecord[]> {
  const jobs = await system.until(ids, 'Completed');
  expect(jobs.filter(({ retryCount, crashes }) => retryCount + crashes > 0)).toEqual([]);
  const runs = () => workers.flatMap(({ output }) => [...output.matchAll(RUN)].map(([, id]) => String(id)));
  // What a worker writes arrives later than what it stores. When lines are missing, the comparison names their jobs.
  await eventually(() => runs().length >= ids.length).catch(() => undefined);
  expect(runs().toSorted()).toEqual(ids.toSorted());
  return jobs;
}

async function isLeft({ store }: System, name: string): Promise<boolean> {
  return (await store.stats()).some((queue) => queue.name === name && !isTerminal(queue.status));
}

/** A long poll and a stream of events of this job, held by this API. */
async function openAnswers(api: AppProcess, id: string) {
  const { client } = api;
  const stream = await eventsOf(api, id);
  const first = await stream.nextJob();
  const { headers } = await client.get(`/jobs/${id}`);
  const known = { Prefer: 'wait=30', 'If-None-Match': headers.get('etag') as string };
  const poll = client.request(`/jobs/${id}`, { headers: known });
  return {
    /** Both have ended as they should, and go on at another API, where the client hears of what happens then. */
    async endedAndGoesOn(next: AppProcess, happen: () => Promise<unknown>) {
      expect([await stream.next(), stream.response.complete]).toEqual([null, true]);
      const { status, headers: said } = await poll;
      expect({ status, connection: said.get('connection') }).toEqual({ status: 304, connection: 'close' });
      const resumed = await EventStream.open({ port: Number(new URL(next.client.url).port) }, `/jobs/${id}/events`, {
        'Last-Event-ID': String(first?.version),
      });
      const changed = next.client.request(`/jobs/${id}`, { headers: known });
      await happen();
      expect((await resumed.nextJob())?.job.status).toBe('Canceled');
      expect(await changed).toMatchObject({ status: 200, body: { status: 'Canceled' } });
    },
  };
}

function eventsOf({ client }: AppProcess, id: string, headers: Record<string, string> = {}): Promise<EventStream> {
  return EventStream.open({ port: Number(new URL(client.url).port) }, `/jobs/${id}/events`, headers);
}

/** Follows one job after the other to its end, by its events, as a client that knows of no rollout. */
class Follower {
  readonly #client: AsyncEndpointsClient;
  readonly #ended: Promise<readonly string[]>;
  #stopping = false;

  constructor(baseUrl: string) {
    this.#client = new AsyncEndpointsClient({ baseUrl });
    this.#ended = this.#run();
  }

  /** The last that it heard of each job. */
  stop(): Promise<readonly string[]> {
    this.#stopping = true;
    return this.#ended;
  }

  async #run(): Promise<string[]> {
    const last: string[] = [];
    while (!this.#stopping) {
      const job = await this.#client.submit<typeof Sleep>('Sleep', { durationMs: 200 }, { path: '/api/demo/sleep' });
      let heard = '';
      for await (const { status } of job.events()) heard = status;
      last.push(heard);
    }
    return last;
  }
}
