import { Injectable, Scope } from '@nestjs/common';
import {
  AsyncEndpointsError,
  type HttpRequest,
  type Job,
  JobManager,
  MemoryJobStore,
  type Reply,
  type ResponseOptions,
} from 'nestjs-async-endpoints';
import { refused } from './answer.js';
import { ACCEPTING, HeldReport, ReportHandler, ReportsController, UNKNOWN_ID } from './reports.js';
import { ADAPTERS, type AdapterName, startApp } from './start-app.js';

/** As of an application that counts what it accepts. */
@Injectable()
class Telemetry {
  readonly events: string[] = [];

  track(event: string): Promise<void> {
    this.events.push(event);
    return Promise.resolve();
  }
}

const BROKEN = () => {
  throw new Error('the factory is broken');
};

function accepting(adapter: AdapterName, response: ResponseOptions, owner?: (request: HttpRequest) => string) {
  return startApp(adapter, {
    ...ACCEPTING,
    providers: [Telemetry],
    options: { role: 'api', response, http: { owner }, jobs: { maxPayloadBytes: 1_000 } },
  });
}

describe.each(ADAPTERS)('response.jobSubmitted, on %s', (adapter) => {
  it('runs asynchronously with the job, the request and the DI container', async () => {
    const app = await accepting(adapter, {
      jobSubmitted: async (job, { request, reply, get }) => {
        await get(Telemetry).track(`${job.name} ${job.status} ${request.method} ${request.url} ${job.replayed}`);
        return reply;
      },
    });
    const answer = await app.post('/reports?from=test', { title: 'Bees' }, { 'X-Async-Request-Id': UNKNOWN_ID });
    await app.post('/reports?from=test', { title: 'Bees' }, { 'X-Async-Request-Id': UNKNOWN_ID });

    expect([answer.status, answer.job.status]).toEqual([202, 'Queued']);
    expect(app.nest.get(Telemetry).events).toEqual([
      'Report Queued POST /reports?from=test false',
      'Report Queued POST /reports?from=test true',
    ]);
  });

  it('replaces status, headers and body', async () => {
    const app = await accepting(adapter, {
      jobSubmitted: ({ id }, { reply }) => ({
        status: 201,
        headers: { Location: `/mine/${id}`, 'X-Was': reply.headers.Location ?? '' },
        body: { ticket: id },
      }),
    });
    const answer = await app.post('/reports', { title: 'Bees' });
    const [job] = await app.all();

    expect([answer.status, answer.body]).toEqual([201, { ticket: job?.id }]);
    expect(answer.header('Location')).toBe(`/mine/${job?.id}`);
    expect(answer.header('X-Was')).toBe(`/jobs/${job?.id}`);
    expect([answer.header('Retry-After'), answer.header('X-Async-Request-Id')]).toEqual([null, null]);
  });

  it('may return a text, which is sent as JSON, or nothing', async () => {
    const app = await accepting(adapter, {
      jobSubmitted: (_job, { request }) => ({
        status: 202,
        headers: {},
        body: request.url.endsWith('text') ? '<b>queued</b>' : undefined,
      }),
    });
    const text = await app.post('/reports?text', { title: 'Bees' });
    const nothing = await app.post('/reports?nothing', { title: 'Bees' });
    expect([text.status, text.body]).toEqual([202, '<b>queued</b>']);
    expect(text.header('Content-Type')).toMatch(/^application\/json\b/);
    expect([nothing.status, nothing.text]).toEqual([202, '']);
  });

  it.each([
    ['throws', BROKEN],
    ['rejects', () => Promise.reject(new Error('the factory is broken'))],
    ['asks for what nobody provides', (_: unknown, { get }: { get(token: string): Reply }) => get('nothing')],
  ])('that %s falls back to the default response, and the job is still queued', async (_how, factory) => {
    const app = await accepting(adapter, { jobSubmitted: factory });
    const answer = await app.post('/reports', { title: 'Bees' });
    expect([answer.status, answer.job.status]).toEqual([202, 'Queued']);
    expect(answer.header('Location')).toBe(answer.job.links.self);
    expect(app.log.text).toContain('response.jobSubmitted failed');
    expect(await app.all()).toHaveLength(1);
  });

  it.each([
    ['nothing', undefined],
    ['no headers', { status: 202, body: {} }],
    ['a status that is none', { status: 20, headers: {}, body: {} }],
  ])('that returns %s (possible in JavaScript only) falls back to the default response', async (_what, reply) => {
    const app = await accepting(adapter, { jobSubmitted: () => reply as unknown as Reply });
    const answer = await app.post('/reports', { title: 'Bees' });
    expect([answer.status, answer.job.status]).toEqual([202, 'Queued']);
    expect(app.log.text).toContain('response.jobSubmitted failed');
  });
});

describe.each(ADAPTERS)('response.jobStatus, on %s', (adapter) => {
  it('runs for status and cancel, asynchronously and with DI', async () => {
    const app = await accepting(adapter, {
      jobStatus: async (job, { request, reply, get }) => {
        const depth = await get(JobManager).depth();
        return {
          status: 200,
          headers: { ...reply.headers, 'X-Depth': String(depth) },
          body: { is: job?.status, asked: request.method },
        };
      },
    });
    const { job } = await app.post('/reports', { title: 'Bees' });
    const status = await app.get(job.links.self);
    const canceled = await app.delete(job.links.self);

    expect([status.status, status.body, status.header('X-Depth')]).toEqual([200, { is: 'Queued', asked: 'GET' }, '1']);
    expect(status.header('Cache-Control')).toBe('private, no-cache');
    expect([canceled.body, canceled.header('X-Depth')]).toEqual([{ is: 'Canceled', asked: 'DELETE' }, '0']);
  });

  it('gets null for an unknown job, and for a job of another owner', async () => {
    const subjects: unknown[] = [];
    const app = await accepting(
      adapter,
      {
        jobStatus: (job, { reply }) => {
          subjects.push(job && job.owner);
          return job ? reply : { status: 404, headers: { 'X-Custom': 'yes' }, body: { nothing: 'here' } };
        },
      },
      ({ headers }) => String(headers['x-user']),
    );
    const { job } = await app.post('/reports', { title: 'Bees' }, { 'X-User': 'ann' });
    const answers = [
      await app.get(`/jobs/${UNKNOWN_ID}`, { 'X-User': 'bob' }),
      await app.get(job.links.self, { 'X-User': 'bob' }),
      await app.delete(job.links.self, { 'X-User': 'bob' }),
    ];
    for (const answer of answers) {
      expect([answer.status, answer.body, answer.header('X-Custom')]).toEqual([404, { nothing: 'here' }, 'yes']);
    }
    expect((await app.get(job.links.self, { 'X-User': 'ann' })).status).toBe(202);
    expect(subjects).toEqual([null, null, null, 'ann']);
  });

  it('may replace the refusal of an unknown job', async () => {
    const app = await accepting(adapter, {
      jobStatus: () => ({ status: 200, headers: {}, body: { status: 'Forgotten' } }),
    });
    const answer = await app.get(`/jobs/${UNKNOWN_ID}`);
    expect([answer.status, answer.body]).toEqual([200, { status: 'Forgotten' }]);
  });

  it('that throws falls back to the default response, for a job and for none', async () => {
    const app = await accepting(adapter, { jobStatus: BROKEN });
    const { job } = await app.post('/reports', { title: 'Bees' });
    expect((await app.get(job.links.self)).body).toEqual(job);
    expect((await app.get(`/jobs/${UNKNOWN_ID}`)).refusal).toEqual(refused(404, 'JOB_NOT_FOUND'));
    expect(app.log.text).toContain('response.jobStatus failed');
  });

  it('does not run for the bare result of a completed job', async () => {
    const app = await startApp(adapter, {
      controllers: [ReportsController],
      providers: [ReportHandler],
      options: { response: { jobStatus: BROKEN } },
    });
    const { job } = await app.post('/reports', { title: 'Bees' });
    await app.ended(job);
    expect((await app.get(job.links.result)).body).toEqual({ text: 'About Bees' });
    expect(app.log.text).not.toContain('Bees');
  });
});

describe.each(ADAPTERS)('A response factory that returns its job, on %s', (adapter) => {
  it.each([
    ['as it is', (job: Job | null) => job],
    ['in an object', (job: Job | null) => ({ job })],
    ['copied', (job: Job | null) => ({ ...job })],
  ])('%s, reads all properties and sends only the public ones', async (_how, bodyOf) => {
    const owners: unknown[] = [];
    const body = (job: Job | null, reply: Reply) => {
      owners.push(job?.owner);
      return { ...reply, body: bodyOf(job) };
    };
    const held = new HeldReport();
    const app = await startApp(adapter, {
      controllers: [ReportsController],
      providers: [held.Handler],
      options: {
        response: {
          jobSubmitted: (job, { reply }) => body(job, reply),
          jobStatus: (job, { reply }) => body(job, reply),
        },
        http: { owner: () => 'owner-in-hiding' },
        worker: { workerId: 'worker-in-hiding' },
      },
    });
    const submitted = await app.post('/reports', { title: 'Bees' });
    await held.started.opened;
    const running = await app.get(submitted.header('Location') ?? '');
    held.finish.open({ text: '' });
    expect(running.text).toContain('InProgress');
    for (const { text } of [submitted, running]) {
      expect(text).not.toMatch(/in-hiding|owner|worker|fingerprint|fence|lease|retention|crashes/);
    }
    expect(owners).toEqual(['owner-in-hiding', 'owner-in-hiding']);
  });
});

describe.each(ADAPTERS)('response.submissionError, on %s', (adapter) => {
  it('runs for a refusal, asynchronously, with the error, request and DI', async () => {
    const app = await accepting(adapter, {
      submissionError: async (error, { request, reply, get }) => {
        await get(Telemetry).track(`${error.code} ${request.url}`);
        return { status: 422, headers: { 'X-Was': String(reply.status) }, body: { refused: error.code } };
      },
    });
    const large = await app.post('/reports', { title: 'x'.repeat(2_000) });
    const malformed = await app.post('/reports', { title: 'Bees' }, { 'X-Async-Request-Id': 'x' });

    expect([large.status, large.body]).toEqual([422, { refused: 'PAYLOAD_TOO_LARGE' }]);
    expect(large.header('X-Was')).toBe('413');
    expect(large.header('Content-Type')).toMatch(/^application\/json\b/);
    expect([malformed.status, malformed.body]).toEqual([422, { refused: 'INVALID_REQUEST_ID' }]);
    expect(app.nest.get(Telemetry).events).toEqual(['PAYLOAD_TOO_LARGE /reports', 'INVALID_REQUEST_ID /reports']);
  });

  it('that throws falls back to the default problem', async () => {
    const app = await accepting(adapter, { submissionError: BROKEN });
    const answer = await app.post('/reports', { title: 'x'.repeat(2_000) });
    expect(answer.refusal).toEqual(refused(413, 'PAYLOAD_TOO_LARGE'));
    expect(app.log.text).toContain('response.submissionError failed');
  });

  it('does not run for refusals of the controller or the status routes', async () => {
    const app = await accepting(adapter, { submissionError: BROKEN });
    await app.get(`/jobs/${UNKNOWN_ID}`);
    await app.post('/nowhere', {});
    expect(app.log.text).not.toContain('submissionError');
  });
});

class BrokenStore extends MemoryJobStore {
  override submit(): Promise<never> {
    return Promise.reject(new TypeError('a fault'));
  }
}

describe.each(ADAPTERS)('response.exception, on %s', (adapter) => {
  it('runs for an internal error and for refusals of the status routes, with DI', async () => {
    const app = await startApp(adapter, {
      ...ACCEPTING,
      providers: [Telemetry],
      options: {
        role: 'api',
        store: new BrokenStore(),
        response: {
          exception: async (error, { reply, get }) => {
            const what = error instanceof AsyncEndpointsError ? error.code : String(error);
            await get(Telemetry).track(what);
            return { status: 418, headers: { 'X-Was': String(reply.status) }, body: { sorry: true } };
          },
        },
      },
    });
    const fault = await app.post('/reports', { title: 'Bees' });
    const malformed = await app.get('/jobs/17');

    expect([fault.status, fault.body, fault.header('X-Was')]).toEqual([418, { sorry: true }, '500']);
    expect([malformed.status, malformed.header('X-Was')]).toEqual([418, '400']);
    expect(app.nest.get(Telemetry).events).toEqual(['TypeError: a fault', 'INVALID_JOB_ID']);
  });

  it('that throws falls back to 500 with a correlation id', async () => {
    const app = await startApp(adapter, {
      ...ACCEPTING,
      options: { role: 'api', store: new BrokenStore(), response: { exception: BROKEN } },
    });
    const answer = await app.post('/reports', { title: 'Bees' });
    expect(answer.refusal).toEqual(refused(500, 'INTERNAL_ERROR'));
    expect(app.log.text).toContain(answer.problem.correlationId);
    expect(app.log.text).toContain('response.exception failed');
  });
});

@Injectable({ scope: Scope.REQUEST })
class PerRequest {}

describe.each(ADAPTERS)('The providers of a factory, on %s', (adapter) => {
  it('cannot be request-scoped: the log states that, and the response is the default one', async () => {
    const app = await startApp(adapter, {
      ...ACCEPTING,
      providers: [PerRequest],
      options: { role: 'api', response: { jobSubmitted: (_job, { get, reply }) => (get(PerRequest), reply) } },
    });
    expect((await app.post('/reports', { title: 'Bees' })).status).toBe(202);
    expect(app.log.text).toContain('response.jobSubmitted failed');
    expect(app.log.text).toContain('PerRequest');
  });
});
