import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { HttpRequest, Reply, ResponseContext } from 'nestjs-async-endpoints';
import { eventually } from 'nestjs-async-endpoints/testing';
import { refused } from './answer.js';
import { EventStream } from './event-stream.js';
import { ACCEPTING, ReportsController } from './reports.js';
import { ADAPTERS, type AdapterName, type RunningApp, startApp } from './start-app.js';
import { storeOf } from './stacks.js';

const BEES = { title: 'Bees' };
const CHANGES = 100;
/** All changes are more than the buffers of any kernel hold. */
const MESSAGE = 'x'.repeat(256 * 1024);

/** A connection that asks for something and reads nothing of the answer until it is resumed. */
async function askAndDoNotRead({ port }: RunningApp, path: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  socket.pause().write(`GET ${path} HTTP/1.1\r\nHost: test\r\nX-Reader: slow\r\n\r\n`);
  return socket;
}

/** An application with a claimed job, whose progress the test writes, and what was made for the slow reader. */
async function startClaimed(adapter: AdapterName, http: object = {}) {
  const store = await storeOf(adapter);
  const made: string[] = [];
  const jobStatus = (job: { version: number } | null, { request, reply }: ResponseContext): Reply => {
    if (request.headers['x-reader'] === 'slow') made.push(String(job?.version));
    return reply;
  };
  const app = await startApp(adapter, {
    controllers: [ReportsController],
    options: { role: 'api', store, http, response: { jobStatus } },
  });
  const { job } = await app.post('/reports', BEES);
  const request = { worker: 'test', leaseMs: 600_000, limit: 1, slots: new Map([['Report', 1]]) };
  const [claim] = await store.claim(request);
  const progress = (fraction: number, message = MESSAGE) =>
    store.renew([{ id: job.id, fence: claim?.fence as number, leaseMs: 600_000, progress: { fraction, message } }]);
  return { app, job, made, progress };
}

/** The server's ends of its connections, by the port of the client. */
function connectionsOf({ nest }: RunningApp): Map<number, Socket> {
  const sockets = new Map<number, Socket>();
  (nest.getHttpServer() as Server).on('connection', (socket: Socket) =>
    sockets.set(socket.remotePort as number, socket),
  );
  return sockets;
}

describe.each(ADAPTERS)('A slow reader of a stream, on %s', (adapter) => {
  it('costs one buffered state, and gets the latest one when it reads again', async () => {
    const { app, job, made, progress } = await startClaimed(adapter);
    const slow = await askAndDoNotRead(app, job.links.events);
    const quick = await EventStream.open(app, job.links.events);
    for (let n = 1; n <= CHANGES; n++) {
      await progress(n / CHANGES);
      // The quick reader tells that the change has gone through.
      for (let seen = 0; seen < n / CHANGES;) seen = (await quick.nextJob())?.job.progress?.fraction ?? 0;
    }
    expect(made.length).toBeGreaterThan(0);
    expect(made.length).toBeLessThan(CHANGES / 2);

    const texts: string[] = [];
    slow.setEncoding('latin1').on('data', (text: string) => texts.push(text));
    slow.resume();
    await eventually(() => texts.join('').includes('"progress":{"fraction":1,'));
  });

  it('is disconnected after http.slowReaderTimeoutMs without reading; one that reads is not', async () => {
    const { app, job, progress } = await startClaimed(adapter, { slowReaderTimeoutMs: 100 });
    const connections = connectionsOf(app);
    const quick = await EventStream.open(app, job.links.events);
    const { localPort } = await askAndDoNotRead(app, job.links.events);
    const isGone = () => connections.get(localPort as number)?.destroyed ?? false;
    for (let n = 1; n <= CHANGES && !isGone(); n++) {
      await progress(n / CHANGES);
      for (let seen = 0; seen < n / CHANGES;) seen = (await quick.nextJob())?.job.progress?.fraction ?? 0;
    }
    await eventually(isGone);
    await progress(0.5, 'still here');
    for (let message: unknown; message !== 'still here';) message = (await quick.nextJob())?.job.progress?.message;
  });
});

describe.each(ADAPTERS)('Streams and held answers, on %s', (adapter) => {
  const WAIT = { Prefer: 'wait=20' };

  it('are refused with 503 above http.maxHeldAnswers, without holding submissions, until one ends', async () => {
    const app = await startApp(adapter, { ...ACCEPTING, options: { role: 'api', http: { maxHeldAnswers: 1 } } });
    const { job } = await app.post('/reports', BEES);
    const stream = await EventStream.open(app, job.links.events);
    await stream.nextJob();
    for (const answer of [
      await app.get(job.links.events),
      await app.get(job.links.self, WAIT),
      await app.get(job.links.result, WAIT),
    ]) {
      expect(answer.refusal).toEqual(refused(503, 'TOO_MANY_WAITS'));
      expect(answer.header('Retry-After')).toBe('1');
    }
    const submitted = await app.post('/reports', BEES, WAIT);
    expect([submitted.status, submitted.header('Preference-Applied')]).toEqual([202, null]);
    expect((await app.get(job.links.self)).status).toBe(202);

    stream.close();
    await eventually(async () => {
      const again = await EventStream.open(app, job.links.events);
      return again.response.statusCode === 200;
    });
  });

  it('are refused with 429 above http.maxHeldAnswersPerOwner, without effect on other owners', async () => {
    const owner = ({ headers }: HttpRequest) => headers['x-user'] as string;
    const http = { maxHeldAnswersPerOwner: 1, owner };
    const app = await startApp(adapter, { ...ACCEPTING, options: { role: 'api', http } });
    const [ann, bob] = [{ 'X-User': 'ann' }, { 'X-User': 'bob' }];
    const { job } = await app.post('/reports', BEES, ann);
    const other = await app.post('/reports', BEES, bob);
    const stream = await EventStream.open(app, job.links.events, ann);
    await stream.nextJob();
    const answer = await app.get(job.links.self, { ...ann, ...WAIT });
    expect(answer.refusal).toEqual(refused(429, 'TOO_MANY_WAITS_OF_OWNER'));
    expect(answer.header('Retry-After')).toBe('1');
    expect((await EventStream.open(app, other.job.links.events, bob)).response.statusCode).toBe(200);
    expect((await app.get(job.links.self, { ...bob, ...WAIT })).refusal).toEqual(refused(404, 'JOB_NOT_FOUND'));
  });
});
