import { eventually } from 'nestjs-async-endpoints/testing';
import type { AppProcess } from '../app-process.js';
import { EventStream } from '../http/event-stream.js';
import { TcpProxy } from '../tcp-proxy.js';
import { ready, statusesOf, Submitters } from './submitters.js';
import { figure, System, TAKEN_OVER } from './system.js';

const COMMAND_TIMEOUT_MS = 1_000;
/** Longer than a busy machine lets a process wait for its turn. */
const LEASE_MS = 3_000;
const LONG_MS = 8_000;
/** For a fact, on a slow machine. */
const WITHIN_MS = 30_000;
/** The lines of the log when the server is away and when it is back. */
const LINES = {
  Redis: { lost: 'The connection to Redis is lost', back: 'The connection to Redis is back' },
  PostgreSQL: { lost: 'PostgreSQL cannot be used', back: 'PostgreSQL can be used again' },
};
const WAS_LOST = 'was lost to another worker';

describe.each(Object.entries(LINES))(
  'After failures of the network between a process and %s',
  (kind, { lost, back }) => {
    let system: System;

    beforeAll(async () => {
      system = await System.start(kind as keyof typeof LINES);
    });

    afterEach(() => system.reset());

    afterAll(() => system.stop());

    async function behindProxy(role: 'api' | 'worker', worker: object = {}): Promise<[AppProcess, TcpProxy]> {
      const url = new URL(system.backend.url);
      const proxy = await TcpProxy.to(Number(url.port));
      url.port = String(proxy.port);
      return [await system.demo(role, { url: url.href, commandTimeoutMs: COMMAND_TIMEOUT_MS }, worker), proxy];
    }

    it('(cut and slow connections) no job is lost, and each change is one line in the log', async () => {
      const sides = await Promise.all([behindProxy('api'), behindProxy('worker')]);
      const [[api]] = sides;
      // The pool replaces a connection that was cut between two calls, and nobody notices.
      const isSilent = kind === 'PostgreSQL';
      const submitters = new Submitters(api, 4);
      const cuts = 5;
      for (let cut = 1; cut <= cuts; cut++) {
        await submitters.more(20, 'accepted');
        for (const [, proxy] of sides) proxy.cut();
        await eventually(() => sides.every(([side]) => side.count(back) === (isSilent ? side.count(lost) : cut)));
      }
      for (const [, proxy] of sides) proxy.delayMs = 100;
      await submitters.more(20, 'accepted');
      for (const [, proxy] of sides) proxy.delayMs = 0;
      await submitters.stop();
      await system.until(submitters.accepted, 'Completed');
      for (const [side] of sides) {
        expect(side.count(back)).toBe(side.count(lost));
        expect(side.count(lost)).toBeLessThanOrEqual(cuts);
        if (!isSilent) expect(side.count(lost)).toBe(cuts);
      }
      expect(submitters.refused.filter(({ status }) => status !== 503)).toEqual([]);
      const { accepted, refused } = submitters;
      figure(
        `${kind}, R3: connections cut ${cuts} times, then 200 ms away: ${accepted.length} accepted, 0 lost, ${refused.length} refused`,
      );
    });

    it('(a silent worker) another worker runs its job, its signal is aborted, and its late writes are rejected', async () => {
      const [cutOff, proxy] = await behindProxy('worker', { abortOnLeaseEnd: true, leaseMs: LEASE_MS });
      const [long] = await system.submit('Sleep', { durationMs: LONG_MS });
      await system.holder(long, [cutOff]);
      // Ends while nothing gets through: its result is on the way before the lease is over, and arrives after that.
      const [short] = await system.submit('Sleep', { durationMs: LEASE_MS / 2 });
      // Not only claimed in the store: the worker has been told so.
      await eventually(async () => (await cutOff.running()) === 2, WITHIN_MS);
      proxy.hold();
      await eventually(() => {
        if (cutOff.count(`slept ${LEASE_MS / 2} ms`) === 1) return true;
        throw new Error(cutOff.output);
      }, WITHIN_MS);
      await eventually(async () => (await statusesOf(cutOff)).ready === 503, WITHIN_MS);
      await eventually(async () => (await cutOff.running()) === 0, WITHIN_MS); // its leases are over
      // The same lease: a shorter one would take each pause of a busy machine between two sweeps for an outage of the store.
      const other = await system.demo('worker', {}, { leaseMs: LEASE_MS });
      await eventually(async () => {
        const jobs = await system.jobs([long, short]);
        if (jobs.every(({ fence }) => fence === 3)) return true;
        throw new Error(`Not taken over once: ${JSON.stringify(jobs)}\n${other.output}`);
      }, WITHIN_MS);
      // The finished result is held until the store answers that another worker has the job.
      await eventually(() => cutOff.count(WAS_LOST) === 1, WITHIN_MS);
      const before = proxy.received.length;
      proxy.goOn();
      await ready([cutOff], WITHIN_MS);
      await eventually(() => cutOff.count(WAS_LOST) === 2, WITHIN_MS);
      expect(proxy.received.length).toBeGreaterThan(before);
      for (const job of await system.until([long, short], 'Completed', WITHIN_MS)) {
        expect(job).toMatchObject(TAKEN_OVER);
      }
      expect([cutOff, other].map((worker) => worker.count(`slept ${LONG_MS} ms`))).toEqual([0, 1]);
      expect(other.count(WAS_LOST)).toBe(0);
      expect([lost, back].map((line) => cutOff.count(line))).toEqual([1, 1]);
      figure(
        `${kind}, R3: a worker behind silence: 2 jobs taken over, their signals aborted, each completed once, by the other`,
      );
    }, 120_000);

    it('(a silent API) every submission gets a response in time, and readiness fails and recovers', async () => {
      const [api, proxy] = await behindProxy('api');
      await api.client.submit('/api/process-data', { data: 'text' });
      proxy.hold();
      const submitters = new Submitters(api, 8);
      await submitters.more(24, 'refused');
      expect(await statusesOf(api)).toEqual({ live: 200, ready: 503 });
      proxy.goOn();
      await ready([api]);
      await submitters.more(8, 'accepted');
      await submitters.stop();
      await system.demo('worker');
      await system.until(submitters.accepted, 'Completed');
      expect(submitters.refused.map(({ status }) => status)).toEqual(submitters.refused.map(() => 503));
      figure(
        `${kind}, R3: silence with a deadline of ${COMMAND_TIMEOUT_MS} ms: longest answer ${Math.round(submitters.longestMs)} ms`,
      );
      // A submission to PostgreSQL may wait for two batches before its own, each with its deadline.
      expect(submitters.longestMs).toBeLessThan((kind === 'Redis' ? 2 : 3.5) * COMMAND_TIMEOUT_MS);
    });

    it('(silently dead connections) subscriptions, cancellations and wake-ups work again', async () => {
      const [[api, toApi], [worker, toWorker]] = await Promise.all([behindProxy('api'), behindProxy('worker')]);
      const location = await api.client.submit('/api/demo/sleep', { durationMs: 600_000 });
      await api.client.running(location);
      const port = Number(new URL(api.client.url).port);
      const events = await EventStream.open({ port }, `${location}/events`);
      expect((await events.nextJob())?.job.status).toBe('InProgress');
      for (const proxy of [toApi, toWorker]) proxy.strand();
      const open = toWorker.stranded;
      expect(open).toBeGreaterThan(1);
      const strandedAt = performance.now();
      await system.store.cancel([location.slice('/jobs/'.length)]);
      await eventually(async () => (await worker.running()) === 0);
      figure(
        `${kind}, R3: a cancel told to a dead connection reached its handler after ${Math.round(performance.now() - strandedAt)} ms`,
      );
      let last = await events.nextJob();
      while (last && last.job.status !== 'Canceled') last = await events.nextJob();
      expect(last?.job.status).toBe('Canceled');
      figure(`${kind}, R3: and its follower after ${Math.round(performance.now() - strandedAt)} ms`);
      await system.until(await system.submit('ProcessData', { data: 'text' }), 'Completed');
      figure(
        `${kind}, R3: work for a worker with dead connections was done after ${Math.round(performance.now() - strandedAt)} ms`,
      );
      // Also the one that waits for work: polls would do for it, slowly.
      await eventually(() => toWorker.stranded === 0 && toWorker.open > 1, 20_000);
    });
  },
);
