import { type RedisServer, startRedisServer } from '@app/redis-server';
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { Body, Controller, Post, type Type } from '@nestjs/common';
import {
  AsyncEndpoint,
  type JobContext,
  MemoryJobStore,
  type Role,
  type Submit,
  SubmitJob,
} from 'nestjs-async-endpoints';
import type { StoredPayload } from 'nestjs-async-endpoints/store';
import { RedisJobStore } from 'nestjs-async-endpoints/redis';
import { AsyncEndpointsTelemetryModule } from 'nestjs-async-endpoints/telemetry';
import { eventually } from 'nestjs-async-endpoints/testing';
import { handlerOf, Report, type ReportRequest, ReportsController } from '../http/reports.js';
import { type RunningApp, startApp } from '../http/start-app.js';
import { SpanBook } from './span-book.js';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const REQUEST_ID = crypto.randomUUID();
const TRACEPARENT = `00-${TRACE_ID}-b7ad6b7169203331-01`;

describe('Traces of an API and a worker on one Redis', () => {
  let redis: RedisServer;

  beforeAll(async () => {
    redis = await startRedisServer();
  });

  afterAll(() => redis.stop());

  async function start(
    role: Role,
    handle: (request: ReportRequest, context: JobContext) => { text: string },
    controller: Type = ReportsController,
  ) {
    const spans = new SpanBook();
    const telemetry = { meterProvider: null, tracerProvider: spans.provider };
    const app = await startApp('Fastify', {
      controllers: role === 'api' ? [controller] : [],
      providers: role === 'api' ? [] : [handlerOf(Report, handle)],
      imports: [AsyncEndpointsTelemetryModule.forRoot(telemetry)],
      options: { role, store: new RedisJobStore({ url: redis.url }) },
    });
    return { app, spans };
  }

  async function twoApps(
    handle: (request: ReportRequest, context: JobContext) => { text: string } = () => ({ text: '' }),
  ) {
    const [api, worker] = [await start('api', handle), await start('worker', handle)];
    return { api, worker };
  }

  async function finished(app: RunningApp, headers: Record<string, string>, title = 'Bees'): Promise<string> {
    const { job } = await app.post('/reports', { title }, headers);
    await app.jobs.waitFor(job.id);
    return job.id;
  }

  it('continue the trace of the request also where the method submits the job itself', async () => {
    @Controller('reports')
    class SubmittingController {
      @Post()
      @AsyncEndpoint(Report)
      create(@Body() request: ReportRequest, @SubmitJob() submit: Submit<typeof Report>) {
        return submit(request);
      }
    }
    const handle = () => ({ text: '' });
    const [api, worker] = [await start('api', handle, SubmittingController), await start('worker', handle)];
    await finished(api.app, { traceparent: TRACEPARENT });
    const [send] = api.spans.named('send Report') as [ReadableSpan];
    const [process] = (await eventually(() => ended(worker.spans, 1))) as [ReadableSpan];
    expect(send.parentSpanContext).toMatchObject({ traceId: TRACE_ID, spanId: 'b7ad6b7169203331' });
    expect(process.parentSpanContext).toMatchObject({ traceId: TRACE_ID, spanId: send.spanContext().spanId });
  });

  it('continue the trace of the request in the worker, by the semantic conventions for messaging', async () => {
    const { api, worker } = await twoApps();
    const id = await finished(api.app, { traceparent: TRACEPARENT, tracestate: 'rojo=1' });
    const [send] = api.spans.named('send Report') as [ReadableSpan];
    const [process] = (await eventually(() => ended(worker.spans, 1))) as [ReadableSpan];

    expect(send).toMatchObject({
      kind: SpanKind.PRODUCER,
      parentSpanContext: { traceId: TRACE_ID, spanId: 'b7ad6b7169203331' },
      attributes: {
        'messaging.system': 'asyncendpoints',
        'messaging.operation.name': 'send',
        'messaging.operation.type': 'send',
        'messaging.destination.name': 'Report',
        'messaging.message.id': id,
      },
    });
    expect(process).toMatchObject({
      kind: SpanKind.CONSUMER,
      parentSpanContext: { traceId: TRACE_ID, spanId: send.spanContext().spanId, isRemote: true },
      links: [],
      attributes: {
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.destination.name': 'Report',
        'messaging.message.id': id,
        'asyncendpoints.job.attempt': 1,
        'asyncendpoints.job.outcome': 'complete',
      },
    });
    expect([send, process].map((span) => span.spanContext().traceId)).toEqual([TRACE_ID, TRACE_ID]);
    expect(process.spanContext().traceState?.serialize()).toBe('rojo=1');
  });

  it('begin a new trace when the request has none, or a malformed one', async () => {
    const { api, worker } = await twoApps();
    await finished(api.app, { traceparent: 'nonsense' });
    await finished(api.app, {});
    const attempts = await eventually(() => ended(worker.spans, 2));
    const sends = api.spans.named('send Report');
    expect(sends.map(({ parentSpanContext }) => parentSpanContext)).toEqual([undefined, undefined]);
    expect(new Set(attempts.map(({ parentSpanContext }) => parentSpanContext?.spanId))).toEqual(
      new Set(sends.map((span) => span.spanContext().spanId)),
    );
  });

  it('show attempts as siblings; retries link to the submission', async () => {
    const { api, worker } = await twoApps((_request, { attempt }) => {
      if (attempt < 3) throw Object.assign(new Error('not yet'), { code: 'UPSTREAM' });
      return { text: 'at last' };
    });
    await finished(api.app, { traceparent: TRACEPARENT });
    const attempts = await eventually(() => ended(worker.spans, 3));
    const [send] = api.spans.named('send Report') as [ReadableSpan];

    expect(attempts.map(({ attributes }) => attributes['asyncendpoints.job.attempt'])).toEqual([1, 2, 3]);
    expect(new Set(attempts.map(({ parentSpanContext }) => parentSpanContext?.spanId))).toEqual(
      new Set([send.spanContext().spanId]),
    );
    expect(attempts.map(({ links }) => links.map((link) => link.context.spanId))).toEqual([
      [],
      [send.spanContext().spanId],
      [send.spanContext().spanId],
    ]);
    expect(attempts.map(({ status, attributes }) => [status.code, attributes['error.type']])).toEqual([
      [SpanStatusCode.ERROR, 'UPSTREAM'],
      [SpanStatusCode.ERROR, 'UPSTREAM'],
      [SpanStatusCode.UNSET, undefined],
    ]);
  });

  it('are active in handlers, so that their calls and submissions belong to them', async () => {
    const seen: (string | undefined)[] = [];
    const { api, worker } = await twoApps(() => {
      seen.push(trace.getActiveSpan()?.spanContext().spanId);
      return { text: '' };
    });
    await finished(api.app, { traceparent: TRACEPARENT });
    const [process] = (await eventually(() => ended(worker.spans, 1))) as [ReadableSpan];
    expect(seen).toEqual([process.spanContext().spanId]);
  });

  it('record a refusal, and nothing of the request', async () => {
    const { api, worker } = await twoApps();
    const secret = 'geheim-4711';
    const headers = { Authorization: `Bearer ${secret}`, Cookie: `session=${secret}`, 'X-Api-Key': secret };
    await finished(api.app, { ...headers, traceparent: TRACEPARENT });
    await api.app.post('/reports', { title: secret }, { ...headers, 'X-Async-Request-Id': REQUEST_ID });
    await api.app.post('/reports', { title: 'another' }, { ...headers, 'X-Async-Request-Id': REQUEST_ID });
    await eventually(() => ended(worker.spans, 2));

    const refused = api.spans.named('send Report').at(-1) as ReadableSpan;
    expect(refused).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'error.type': 'REQUEST_ID_CONFLICT' },
    });
    const all = [...api.spans.spans, ...worker.spans.spans].map(({ name, attributes, events, links, status }) => ({
      name,
      attributes,
      events,
      links,
      status,
    }));
    expect(JSON.stringify(all)).not.toContain(secret);
  });

  it('are stored within bounds, and a job of a process without telemetry continues the trace of its request', async () => {
    const api = await startApp('Fastify', {
      controllers: [ReportsController],
      options: { role: 'api', store: new RedisJobStore({ url: redis.url }) },
    });
    const { job } = await api.post('/reports', { title: 'Bees' }, { traceparent: TRACEPARENT });
    const worker = await start('worker', () => ({ text: '' }));
    const [process] = (await eventually(() => ended(worker.spans, 1))) as [ReadableSpan];
    expect(process).toMatchObject({
      attributes: { 'messaging.message.id': job.id },
      parentSpanContext: { traceId: TRACE_ID, spanId: 'b7ad6b7169203331' },
    });
  });
});

describe('The trace context of a submission from code', () => {
  it.each([
    [
      { traceparent: TRACEPARENT, tracestate: 'a=b' },
      { traceparent: TRACEPARENT, tracestate: 'a=b' },
    ],
    [{ traceparent: TRACEPARENT, tracestate: 'x'.repeat(100_000) }, { traceparent: TRACEPARENT }],
    [{ traceparent: 'x'.repeat(100_000) }, undefined],
  ])('is stored if it is valid', async (given, stored) => {
    const store = new MemoryJobStore();
    const app = await startApp('Fastify', { options: { role: 'api', store } });
    await app.jobs.submit(Report, { title: 'Bees' }, { trace: given });
    const slots = new Map([[Report.name, 1]]);
    const [claim] = await store.claim({ worker: 'test', leaseMs: 1_000, limit: 1, slots });
    expect((JSON.parse(claim?.payload ?? '') as StoredPayload).trace).toEqual(stored);
  });
});

function ended(book: SpanBook, count: number): ReadableSpan[] | null {
  const attempts = book.named('process Report');
  return attempts.length >= count ? attempts : null;
}
