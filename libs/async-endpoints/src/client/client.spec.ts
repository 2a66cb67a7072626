import { getEventListeners } from 'node:events';
import type { represent } from '../http/reply/represent.js';
import { defineJob } from '../job/define-job.js';
import { InvalidOptionError } from './errors.js';
import { AsyncEndpointsClient, type ClientOptions, type JobState, type RemoteJob } from './index.js';

const Report = defineJob<{ title: string }, { text: string }>('Report');
const Ping = defineJob('Ping');
const ID = 'd0a7d9f6-5a3f-4c57-9a31-7a2b6d2c1f00';
const BEES = { title: 'Bees' };

const state = (of: Partial<JobState> = {}) => ({ id: ID, name: 'Report', status: 'Queued', ...of }) as JobState;

/** A client, and what it sends; each answer is used once, the last for all that follow. */
function clientOf(answers: (() => Response)[], options: ClientOptions = {}) {
  const sent: { url: string; init: RequestInit; headers: Headers }[] = [];
  const client = new AsyncEndpointsClient({
    baseUrl: 'https://example.com/gateway/',
    routes: { Report: '/reports', Ping: { path: 'ping', method: 'PUT' } },
    retry: { baseDelayMs: 1 },
    fetch: async (url, init) => {
      sent.push({ url, init, headers: new Headers(init.headers) });
      return (answers[sent.length - 1] ?? answers.at(-1) ?? cut)();
    },
    ...options,
  });
  return { client, sent };
}

const accepted = () => Response.json(state(), { status: 202, headers: { Location: `/gateway/jobs/${ID}` } });
const refused =
  (status: number, body: unknown = {}, headers = {}) =>
  () =>
    Response.json(body, { status, headers });
const cut = () => {
  throw new TypeError('fetch failed');
};

describe('The types of the client', () => {
  it('are those of the job definition', () => {
    const { client } = clientOf([accepted]);
    expectTypeOf(client.job(Report, ID).wait).returns.resolves.toEqualTypeOf<{ text: string }>();
    expectTypeOf(client.job<typeof Report>('Report', ID)).toEqualTypeOf<RemoteJob<typeof Report>>();
    expectTypeOf(client.job(Report, ID).refresh).returns.resolves.toEqualTypeOf<JobState<{ text: string }>>();
    expectTypeOf(client.submit<typeof Report>)
      .parameter(1)
      .toEqualTypeOf<{ title: string }>();
    expectTypeOf(client.job('Report', ID).wait).returns.resolves.toEqualTypeOf<unknown>();
    // @ts-expect-error a report has a title
    void (() => client.submit(Report, { name: 'Bees' }));
    void (() => client.submit(Ping, undefined));
  });

  it('match the representation of the server', () => {
    expectTypeOf<JobState<number>>().toEqualTypeOf<ReturnType<typeof represent<number>>>();
  });
});

describe('A submission', () => {
  it('goes to the route of the job, with the payload as JSON and a random request id', async () => {
    const { client, sent } = clientOf([accepted]);
    const job = await client.submit(Report, BEES, { waitMs: 5_000 });
    const [{ url, init, headers }] = sent as [(typeof sent)[0]];
    expect([init.method, url, init.body]).toEqual(['POST', 'https://example.com/gateway/reports', '{"title":"Bees"}']);
    expect([headers.get('content-type'), headers.get('prefer')]).toEqual(['application/json', 'wait=5']);
    expect(headers.get('x-async-request-id')).toMatch(/^[\da-f]{8}-[\da-f]{4}-4/);
    expect([job.id, job.location, job.isReplay]).toEqual([ID, `https://example.com/gateway/jobs/${ID}`, false]);
    expect(job.state?.status).toBe('Queued');
  });

  it('goes to the path of the call instead, with its request id or idempotency key', async () => {
    const { client, sent } = clientOf([accepted]);
    const where = { path: '/other?draft=1', method: 'PATCH' } as const;
    await client.submit(Report, BEES, { ...where, idempotencyKey: 'a"b\\c', headers: {} } as object);
    await client.submit<typeof Report>('Report', BEES, { ...where, requestId: ID, idempotencyKey: 'k' });
    expect(sent.map(({ url }) => url)).toEqual(Array(2).fill('https://example.com/gateway/other?draft=1'));
    expect(sent.map(({ headers }) => headers.get('idempotency-key'))).toEqual(['"a\\"b\\\\c"', '"k"']);
    expect(sent.map(({ headers }) => headers.get('x-async-request-id'))).toEqual([null, ID]);
  });

  it('has no body when the job takes no payload', async () => {
    const { client, sent } = clientOf([() => Response.json(state({ name: 'Ping' }), { status: 202 })]);
    expect((await client.submit(Ping, undefined)).id).toBe(ID);
    expect([sent[0]?.init.method, sent[0]?.init.body, sent[0]?.headers.has('content-type')]).toEqual([
      'PUT',
      undefined,
      false,
    ]);
  });

  it('is repeated with the same identity after network errors and temporary errors', async () => {
    const passing = [429, 502, 503, 504].map((status) => refused(status, {}, { 'Retry-After': '0' }));
    const { client, sent } = clientOf([cut, ...passing, accepted]);
    await client.submit(Report, BEES);
    expect(sent).toHaveLength(6);
    expect(new Set(sent.map(({ headers }) => headers.get('x-async-request-id'))).size).toBe(1);
  });

  it.each([400, 401, 403, 404, 409, 413, 415, 422, 500])('is not repeated after %i', async (status) => {
    const { client, sent } = clientOf([refused(status, { message: ['title must be a string'], error: 'Bad' })]);
    const problem = { code: `HTTP_${status}`, status, title: 'Bad', detail: 'title must be a string' };
    await expect(client.submit(Report, BEES)).rejects.toMatchObject({ name: 'AsyncEndpointsProblem', ...problem });
    expect(sent).toHaveLength(1);
  });

  it('gives up after retry.limit repeats, with the last response or error', async () => {
    const full = { code: 'QUEUE_FULL', title: 'The queue is full.', detail: 'Report has 1 of 1.' };
    const refusing = clientOf([refused(503, full)], { retry: { limit: 2, baseDelayMs: 1 } });
    await expect(refusing.client.submit(Report, BEES)).rejects.toMatchObject({ ...full, status: 503, body: full });
    expect(refusing.sent).toHaveLength(3);
    const failing = clientOf([cut], { retry: { limit: 2, baseDelayMs: 1 } });
    const failure = { code: 'NO_ANSWER', attempts: 3, cause: { message: 'fetch failed' } };
    await expect(failing.client.submit(Report, BEES)).rejects.toMatchObject(failure);
  });

  it('does not wait longer than maxDelayMs, and reports the Retry-After of the server', async () => {
    const { client, sent } = clientOf([refused(503, {}, { 'Retry-After': '61' })]);
    await expect(client.submit(Report, BEES)).rejects.toMatchObject({ status: 503, retryAfterMs: 61_000 });
    expect(sent).toHaveLength(1);
  });

  it('ends an attempt without a response after requestTimeoutMs', async () => {
    const { client, sent } = clientOf([accepted], {
      requestTimeoutMs: 1,
      retry: { limit: 1, baseDelayMs: 1 },
      fetch: (_url, { signal }) => {
        sent.push({} as (typeof sent)[0]);
        return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
      },
    });
    await expect(client.submit(Report, BEES)).rejects.toMatchObject({ attempts: 2, cause: { name: 'TimeoutError' } });
    expect(sent).toHaveLength(2);
  });

  it('calls the headers function before each attempt, and rejects with its error', async () => {
    let asked = 0;
    const { client, sent } = clientOf([cut, accepted], {
      headers: async () => {
        asked++;
        if (asked > 2) throw new Error('signed out');
        return { Authorization: `Bearer ${asked}` };
      },
    });
    await client.submit(Report, BEES);
    expect(sent.map(({ headers }) => headers.get('authorization'))).toEqual(['Bearer 1', 'Bearer 2']);
    await expect(client.submit(Report, BEES)).rejects.toThrow('signed out');
    expect(sent).toHaveLength(2);
  });

  it('rejects with the reason of its signal: aborted before, while waiting, or while reading headers', async () => {
    const { client, sent } = clientOf([refused(503, {}, { 'Retry-After': '60' })]);
    await expect(client.submit(Report, BEES, { signal: AbortSignal.abort('early') })).rejects.toBe('early');
    expect(sent).toHaveLength(0);
    const leaving = new AbortController();
    const submitting = client.submit(Report, BEES, { signal: leaving.signal });
    await vi.waitFor(() => expect(sent).toHaveLength(1));
    leaving.abort('late');
    await expect(submitting).rejects.toBe('late');
    const stuck = clientOf([accepted], { headers: () => new Promise(() => {}) });
    await expect(stuck.client.submit(Report, BEES, { signal: AbortSignal.timeout(1) })).rejects.toThrow(/timeout/i);
  });

  it('is refused when its path is unknown or leads to another origin', async () => {
    const { client, sent } = clientOf([accepted], { routes: {} });
    await expect(client.submit(Report, BEES)).rejects.toThrow(/The path of Report is unknown/);
    await expect(client.submit('constructor', BEES)).rejects.toThrow(/The path of constructor is unknown/);
    expect(sent).toHaveLength(0);
    const elsewhere = clientOf([
      () => Response.json(state(), { headers: { Location: 'https://evil.example/jobs/1' } }),
    ]);
    await expect(elsewhere.client.submit(Report, BEES)).rejects.toThrow(/does not lead to https:\/\/example.com/);
    expect(() => client.job(Report, '//evil.example/jobs/1')).toThrow(InvalidOptionError);
  });

  it('accepts a response with a job or a location, and rejects others', async () => {
    const named = (body: unknown, headers = {}) => clientOf([() => Response.json(body, { headers })]).client;
    expect((await named({}, { 'X-Async-Request-Id': ID }).submit(Report, BEES)).location).toBe(
      `https://example.com/gateway/jobs/${ID}`,
    );
    expect(await named({}, { Location: `/x/${ID}` }).submit(Report, BEES)).toMatchObject({ id: ID, state: null });
    expect((await named(state()).submit(Report, BEES)).id).toBe(ID);
    await expect(named('fine').submit(Report, BEES)).rejects.toMatchObject({ code: 'UNEXPECTED_ANSWER' });
    await expect(named(state({ name: 'Other' })).submit(Report, BEES)).rejects.toThrow(/is a Other, no Report/);
  });
});

describe('Waiting', () => {
  const entityTag = { ETag: '"1"' };

  it('polls a server that does not hold responses after its Retry-After', async () => {
    const sentAt: number[] = [];
    const headers = { 'Retry-After': '1', ...entityTag };
    const answers = [
      refused(202, state(), headers),
      () => new Response(null, { status: 304, headers }),
      refused(200, state({ status: 'Completed', result: { text: '' } })),
    ].map((answer) => () => {
      sentAt.push(performance.now());
      return answer();
    });
    const { client, sent } = clientOf(answers);
    expect(await client.job(Report, ID).wait()).toEqual({ text: '' });
    expect((sentAt[2] as number) - (sentAt[1] as number)).toBeGreaterThan(990);
    expect(sent.map((request) => request.headers.get('prefer'))).toEqual([null, 'wait=20', 'wait=20']);
    expect(sent.map((request) => request.headers.get('if-none-match'))).toEqual([null, '"1"', '"1"']);
  });

  it('only polls with longPollMs 0', async () => {
    const again = refused(202, state(), { 'Retry-After': '0', ...entityTag });
    const { client, sent } = clientOf([again, again, refused(200, state({ status: 'Completed', result: null }))], {
      longPollMs: 0,
    });
    expect(await client.job(Report, ID).wait()).toBeNull();
    expect(sent.map((request) => request.headers.get('prefer'))).toEqual([null, null, null]);
  });

  it('throws the error of a failed job, or that the job was canceled', async () => {
    const error = { code: 'NO_INK', message: 'No ink', details: { colour: 'blue' } };
    const failed = clientOf([refused(200, state({ status: 'Failed', error }))]).client.job(Report, ID);
    await expect(failed.wait()).rejects.toMatchObject({ name: 'JobFailedError', ...error, state: { id: ID } });
    const canceled = clientOf([refused(200, state({ status: 'Canceled' }))]).client.job(Report, ID);
    await expect(canceled.wait()).rejects.toMatchObject({ name: 'JobCanceledError', code: 'JOB_CANCELED' });
    expect(failed.state?.status).toBe('Failed');
  });

  it('ends after timeoutMs', async () => {
    const { client } = clientOf([refused(202, state(), { 'Retry-After': '3600' })]);
    const failure = { name: 'JobWaitTimeoutError', code: 'WAIT_TIMEOUT', timeoutMs: 20, jobId: ID };
    await expect(client.job(Report, ID).wait({ timeoutMs: 20 })).rejects.toMatchObject(failure);
  });

  it('leaves no listener on the signal', async () => {
    const { signal } = new AbortController();
    const again = refused(202, state(), { 'Retry-After': '0', ...entityTag });
    const answers = [accepted, cut, again, again, refused(200, state({ status: 'Completed', result: null }))];
    const { client } = clientOf(answers, { headers: async () => ({}) });
    const job = await client.submit(Report, BEES, { signal });
    await job.wait({ signal });
    for await (const { status } of job.events({ signal })) expect(status).toBe('Completed');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('rejects a response that is not a job', async () => {
    const { client } = clientOf([() => new Response('<html>', { status: 200 })]);
    await expect(client.job(Report, ID).wait()).rejects.toMatchObject({ code: 'UNEXPECTED_ANSWER', body: '<html>' });
  });
});

describe('The id or location of a job', () => {
  it.each([
    [ID.toUpperCase(), `https://example.com/gateway/jobs/${ID}`],
    [`/gateway/jobs/${ID}`, `https://example.com/gateway/jobs/${ID}`],
    [`https://example.com/elsewhere/${ID}`, `https://example.com/elsewhere/${ID}`],
  ])('may be %s', (idOrLocation, location) => {
    expect(clientOf([]).client.job(Report, idOrLocation).location).toBe(location);
  });

  it.each(['17', '', `{${ID}}`, ID.replaceAll('-', ''), undefined as never, 17 as never])(
    'is not %s, which is refused before anything is asked',
    (idOrLocation) => {
      const { client, sent } = clientOf([accepted]);
      expect(() => client.job(Report, idOrLocation)).toThrow(
        /expected the id of a job, which is a UUID, or its location/,
      );
      expect(sent).toEqual([]);
    },
  );
});

describe('The options of a call', () => {
  it.each([Number.NaN, -1, Infinity, 'abc' as never])('refuse a waitMs of %s', async (waitMs) => {
    const { client, sent } = clientOf([accepted]);
    const submitting = client.submit(Report, BEES, { waitMs });
    await expect(submitting).rejects.toThrow(`waitMs is ${String(waitMs)}; expected a number from 0`);
    expect(sent).toEqual([]);
  });

  it('round waitMs up to whole seconds', async () => {
    const { client, sent } = clientOf([accepted]);
    await client.submit(Report, BEES, { waitMs: 1_500 });
    await client.submit(Report, BEES, { waitMs: 500 });
    expect(sent.map(({ headers }) => headers.get('Prefer'))).toEqual(['wait=2', 'wait=1']);
  });

  it.each([Number.NaN, -1, '5s' as never])('refuse a timeout of %s ms', async (timeoutMs) => {
    const { client, sent } = clientOf([accepted]);
    const waiting = client.job(Report, ID).wait({ timeoutMs });
    await expect(waiting).rejects.toThrow(`timeoutMs is ${String(timeoutMs)}; expected a number from 0`);
    expect(sent).toEqual([]);
  });
});

describe('The options of the client', () => {
  it.each([
    [{ baseUrl: undefined }, /baseUrl is undefined/],
    [{ baseUrl: 'ftp://example.com' }, /baseUrl is "ftp/],
    [{ longPollMs: -1 }, /longPollMs is -1/],
    [{ requestTimeoutMs: Infinity }, /requestTimeoutMs is Infinity/],
    [{ retry: { limit: NaN } }, /retry.limit is NaN/],
  ])('refuse %o', (options, message) => {
    expect(() => clientOf([], options)).toThrow(message);
  });
});
