import { defineJob } from '../job/define-job.js';
import { AsyncEndpointsClient, type JobState } from './index.js';

const Report = defineJob<{ title: string }, { text: string }>('Report');
const ID = 'd0a7d9f6-5a3f-4c57-9a31-7a2b6d2c1f00';

const state = (of: Partial<JobState> = {}) => ({ id: ID, name: 'Report', status: 'Queued', ...of }) as JobState;
const completed = state({ status: 'Completed', result: { text: '' } });
const event = (id: number, of: JobState) => `event: status\nid: ${id}\ndata: ${JSON.stringify(of)}\n\n`;

/** A stream of these events that stays open, or is closed. */
function streamOf(text: string, isOpen = false): Response {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      controller.enqueue(new TextEncoder().encode(text));
      if (!isOpen) controller.close();
    },
  });
  return new Response(body, { headers: { 'Content-Type': 'text/event-stream; charset=utf-8' } });
}

/** A job whose stream is answered by these in turn, by the last for ever; its status is `monitored`. */
function jobOf(streams: (() => Response)[], monitored: JobState = completed) {
  const sent: { path: string; lastId: string | null; signal: AbortSignal }[] = [];
  const client = new AsyncEndpointsClient({
    baseUrl: 'https://example.com',
    streamIdleMs: 20,
    retry: { limit: 2, baseDelayMs: 1 },
    fetch: async (url, { headers, signal }) => {
      const lastId = new Headers(headers).get('last-event-id');
      const path = new URL(url).pathname.replace(ID, '');
      const nth = sent.push({ path, lastId, signal: signal as AbortSignal }) - 1;
      if (path !== '/jobs//events') return Response.json(monitored);
      return (streams[nth] ?? streams.at(-1) ?? Response.error)();
    },
  });
  return { job: client.job(Report, ID), sent };
}

async function statuses(states: AsyncIterable<JobState>): Promise<string[]> {
  const seen: string[] = [];
  for await (const { status } of states) seen.push(status);
  return seen;
}

describe('The events of a job', () => {
  it('continue after the stream is silent, ends early or is refused temporarily', async () => {
    const { job, sent } = jobOf([
      () => streamOf(event(1, state()), true),
      () => streamOf(`: alive\n\n${event(2, state({ status: 'InProgress' }))}data: {"id`),
      () => new Response('', { status: 503, headers: { 'Retry-After': '0' } }),
      () => streamOf(event(3, completed), true),
    ]);
    expect(await statuses(job.events())).toEqual(['Queued', 'InProgress', 'Completed']);
    expect(sent.map(({ lastId }) => lastId)).toEqual([null, '1', '2', '2']);
    expect(sent.every(({ signal }) => signal.aborted)).toBe(true);
  });

  it('are not repeated when the server ignores Last-Event-ID', async () => {
    const { job } = jobOf([() => streamOf(event(1, state())), () => streamOf(event(1, state()) + event(2, completed))]);
    expect(await statuses(job.events())).toEqual(['Queued', 'Completed']);
  });

  it.each([
    ['cannot be had', () => new Response('', { status: 404 }), 1],
    ['is none', () => Response.json({}), 1],
    ['is always silent', () => streamOf('', true), 1],
    ['ends without an event, time and again', () => streamOf(': alive\n\n'), 3],
    [
      'is refused for longer than a client waits',
      () => new Response('', { status: 503, headers: { 'Retry-After': '61' } }),
      1,
    ],
  ])('are polled when the stream %s', async (_, stream, attempts) => {
    const { job, sent } = jobOf([stream]);
    expect(await statuses(job.events())).toEqual(['Completed']);
    expect(sent.map(({ path }) => path)).toEqual([...Array<string>(attempts).fill('/jobs//events'), '/jobs/']);
  });

  it('are rejected when they belong to another job or to none', async () => {
    const other = jobOf([() => streamOf(event(1, state({ name: 'Other' })))]);
    await expect(statuses(other.job.events())).rejects.toMatchObject({ code: 'UNEXPECTED_ANSWER' });
    const none = jobOf([() => streamOf('data: hello\n\n')]);
    await expect(statuses(none.job.events())).rejects.toMatchObject({ code: 'UNEXPECTED_ANSWER', body: 'hello' });
    expect([other.sent.length, none.sent.length]).toEqual([1, 1]);
  });

  it('are the known state of a terminal job, without a request', async () => {
    const { job, sent } = jobOf([() => streamOf('')]);
    await job.refresh();
    expect(await statuses(job.events())).toEqual(['Completed']);
    expect(sent).toHaveLength(1);
    await expect(statuses(job.events({ signal: AbortSignal.abort('no') }))).rejects.toBe('no');
  });
});
