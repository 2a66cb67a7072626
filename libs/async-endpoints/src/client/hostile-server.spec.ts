import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { defineJob } from '../job/define-job.js';
import { AsyncEndpointsClient, type ClientOptions } from './index.js';

const Report = defineJob<{ title: string }, { text: string }>('Report');
const ID = 'd0a7d9f6-5a3f-4c57-9a31-7a2b6d2c1f00';
const QUEUED = { id: ID, name: 'Report', status: 'Queued', lastUpdatedAt: '2026-11-23T10:30:00.123Z' };
const PIECE = 'x'.repeat(64 * 1024);

/** A real server, on an origin of its own. */
async function serverOf(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function clientOf(baseUrl: string, options: ClientOptions = {}): AsyncEndpointsClient {
  return new AsyncEndpointsClient({
    baseUrl,
    headers: { 'X-Api-Key': 'sesame' },
    routes: { Report: '/reports' },
    maxResponseBytes: 1024 * 1024,
    retry: { baseDelayMs: 1 },
    ...options,
  });
}

/** A body without an end. Says how much of it was sent. */
function endless(type: string, start: string) {
  const sent = { bytes: 0, requests: 0 };
  const listener: RequestListener = (_request, response) => {
    sent.requests++;
    response.writeHead(200, { 'Content-Type': type });
    response.write(start);
    const more = (): void => {
      if (response.destroyed) return;
      sent.bytes += PIECE.length;
      if (response.write(PIECE)) setImmediate(more);
      else response.once('drain', more);
    };
    more();
  };
  return { sent, listener };
}

describe('A hostile server', () => {
  it.each([301, 302, 303, 307, 308])('cannot redirect headers and body to another origin: %i', async (status) => {
    const stolen: unknown[] = [];
    const thief = await serverOf(({ headers }, response) => {
      stolen.push(headers['x-api-key']);
      response.end('{}');
    });
    let requests = 0;
    const client = clientOf(
      await serverOf((request, response) => {
        requests++;
        request.resume();
        response.writeHead(status, { Location: `${thief}/reports` }).end();
      }),
    );
    const problem = {
      code: 'UNEXPECTED_ANSWER',
      status,
      detail: expect.stringContaining('redirects are not followed') as string,
    };
    await expect(client.submit(Report, { title: 'Bees' })).rejects.toMatchObject(problem);
    await expect(client.job(Report, ID).refresh()).rejects.toMatchObject(problem);
    await expect(client.job(Report, ID).events().next()).rejects.toMatchObject(problem);
    expect([stolen, requests]).toEqual([[], 3]);
  });

  it('cannot make the client read an endless body', async () => {
    const { sent, listener } = endless('application/json', '"');
    const job = clientOf(await serverOf(listener)).job(Report, ID);
    await expect(job.refresh()).rejects.toMatchObject({
      code: 'UNEXPECTED_ANSWER',
      detail: 'The answer is longer than the 1048576 bytes that maxResponseBytes allows.',
    });
    expect(sent.requests).toBe(1);
    expect(sent.bytes).toBeLessThan(20 * 1024 * 1024);
  });

  it.each(['data: ', ': a comment ', ''])(
    'cannot make the client read an endless line of events: %j',
    async (start) => {
      const { sent, listener } = endless('text/event-stream', start);
      const job = clientOf(await serverOf(listener)).job(Report, ID);
      await expect(job.events().next()).rejects.toMatchObject({ code: 'UNEXPECTED_ANSWER' });
      expect(sent.requests).toBe(1);
      expect(sent.bytes).toBeLessThan(20 * 1024 * 1024);
    },
  );

  it('cannot make the client read an event with endless lines', async () => {
    const baseUrl = await serverOf((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      const more = (): boolean => response.destroyed || response.write(`data: ${PIECE}\n`);
      response.on('drain', more);
      for (let line = 0; line < 32 && more(); line++);
    });
    await expect(clientOf(baseUrl).job(Report, ID).events().next()).rejects.toMatchObject({
      code: 'UNEXPECTED_ANSWER',
    });
  });

  it.each([
    ['Retry-After: 0', { 'Retry-After': '0' }],
    ['an answer that it did not hold', { 'Preference-Applied': 'wait=20', ETag: '"1"' }],
  ])('is polled less and less often while nothing changes, in spite of %s', async (_what, headers) => {
    let requests = 0;
    const baseUrl = await serverOf((_request, response) => {
      requests++;
      response.writeHead(202, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(QUEUED));
    });
    const wait = clientOf(baseUrl).job(Report, ID).wait({ timeoutMs: 1_000 });
    await expect(wait).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' });
    // At once, then after 0.2, 0.4 and 0.8 s.
    expect(requests).toBeLessThanOrEqual(5);
  });

  it('is reconnected at most retry.limit times when its stream repeats the same state and breaks', async () => {
    let streams = 0;
    const baseUrl = await serverOf(({ url }, response) => {
      if (!url?.endsWith('/events')) return void response.writeHead(404).end();
      streams++;
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.end(`retry: 0\nid: 1\ndata: ${JSON.stringify(QUEUED)}\n\n`);
    });
    const events = clientOf(baseUrl, { retry: { limit: 2, baseDelayMs: 1 } })
      .job(Report, ID)
      .events();
    expect((await events.next()).value).toEqual(QUEUED);
    await expect(events.next()).rejects.toMatchObject({ status: 404 });
    // The first brought news; two in a row did not.
    expect(streams).toBe(3);
  });

  it('cannot make the client read a body that is large only after decompression', async () => {
    const bomb = gzipSync(`"${'x'.repeat(32 * 1024 * 1024)}"`);
    const baseUrl = await serverOf((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }).end(bomb);
    });
    await expect(clientOf(baseUrl).job(Report, ID).refresh()).rejects.toMatchObject({ code: 'UNEXPECTED_ANSWER' });
  });

  it.each(['header', 'body'])('delays the client by at most requestTimeoutMs when its %s trickles in', async (part) => {
    let requests = 0;
    const baseUrl = await serverOf((_request, response) => {
      requests++;
      if (part === 'body') response.writeHead(200, { 'Content-Type': 'application/json' });
      // Time passes on purpose: this is a server that never stops answering.
      const trickle = setInterval(() => (part === 'body' ? response.write(' ') : response.writeEarlyHints({})), 5);
      response.on('close', () => clearInterval(trickle));
    });
    const client = clientOf(baseUrl, { requestTimeoutMs: 50, retry: { limit: 1, baseDelayMs: 1 } });
    await expect(client.job(Report, ID).refresh()).rejects.toMatchObject({ code: 'NO_ANSWER', attempts: 2 });
    expect(requests).toBe(2);
  });

  it('is given up after retry.limit responses with too large headers', async () => {
    let requests = 0;
    const baseUrl = await serverOf((_request, response) => {
      requests++;
      response.writeHead(200, { 'X-Large': 'x'.repeat(512 * 1024) }).end('{}');
    });
    const client = clientOf(baseUrl, { retry: { limit: 2, baseDelayMs: 1 } });
    await expect(client.job(Report, ID).refresh()).rejects.toMatchObject({ code: 'NO_ANSWER', attempts: 3 });
    expect(requests).toBe(3);
  });
});
