import { Body, Controller, type INestApplication, Post, UseInterceptors } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { AsyncEndpoint, type JobRepresentation, type JobStore } from 'nestjs-async-endpoints';
import { map } from 'rxjs';
import { EventStream } from './event-stream.js';
import { ACCEPTING, Report, type ReportRequest, ReportsController } from './reports.js';
import { ADAPTERS, type AppParts, STACKS, type StackName, startApp } from './start-app.js';
import { storeOf } from './stacks.js';

/** As workers write it. */
const WRITTEN: Record<string, unknown> = {
  'an object': { a: [1, { b: null }], c: 'd' },
  'a key __proto__': JSON.parse('{"__proto__":{"admin":true},"a":1}'),
  'U+2028, U+2029 and a lone surrogate': { text: '\u2028\u2029\ud800' },
  'a number beyond 2^53': { id: 2 ** 53 + 2, far: 1e300 },
  'keys that are numbers': { 10: 'a', 9: 'b' },
  'text that looks like the envelope': { result: null, text: '"result":null', $: "$&$1$'" },
  'a string': 'bees',
  'a number': -0.5,
  false: false,
  'an empty list': [],
};

/** As a worker would not write it, but whoever writes to the store may: JSON that a parser does not give back as it was. */
const FOREIGN: Record<string, string> = {
  spaces: ' { "a" : [ 1 , 2 ] } ',
  'a duplicate key': '{"a":1,"a":2}',
  'a number beyond 2^53': '{"id":12345678901234567890}',
  'another notation': '{"x":1.50e+2,"y":"\\u0041\\/"}',
};

/** The same store behind an application that reads no bodies, and one with an interceptor that could. */
async function bothForms(stack: StackName, result: string) {
  const store = await storeOf(stack);
  const options = { role: 'api', store } as const;
  const plain = await startApp(stack, { ...ACCEPTING, options });
  const read = await startApp(stack, {
    ...ACCEPTING,
    options,
    configure: (nest) => nest.useGlobalInterceptors({ intercept: (_, next) => next.handle() }),
  });
  const { job } = await plain.post('/reports', { title: 'Bees' }, KEY);
  await completeWith(store, job, result);
  return { plain, read, job };
}

const KEY = { 'Idempotency-Key': 'bees' };

describe.each(STACKS)('A stored result, on %s', (stack) => {
  it.each(Object.entries(WRITTEN))('has the same value as text and parsed: %s', async (_what, result) => {
    const { plain, read, job } = await bothForms(stack, JSON.stringify(result));
    for (const path of [job.links.self, job.links.result]) {
      const [asText, asValue] = [await plain.get(path), await read.get(path)];
      expect(asText.text).toBe(asValue.text);
      const headers = [asText, asValue].map((answer) => [...answer.headers].filter(([name]) => name !== 'date'));
      expect(headers[0]).toEqual(headers[1]);
    }
    expect((await plain.get(job.links.self)).job.result).toEqual(JSON.parse(JSON.stringify(result)));
    const events = await EventStream.open(plain, job.links.events);
    expect((await events.next())?.data).toBe((await read.get(job.links.self)).text);
  });

  it.each(Object.entries(FOREIGN))('is sent as stored, without parsing: %s', async (_what, result) => {
    const { plain, read, job } = await bothForms(stack, result);
    expect((await plain.get(job.links.result)).text).toBe(result);
    const { text } = await plain.get(job.links.self);
    expect(text).toContain(`"result":${result},"error":null`);
    expect(JSON.parse(text)).toEqual((await read.get(job.links.self)).job);
    const known = { 'If-None-Match': (await read.get(job.links.self)).header('ETag') as string };
    expect((await plain.get(job.links.self, known)).status).toBe(304);
  });

  it.each(Object.entries(FOREIGN))(
    'is sent as stored to a repeated submission, without parsing: %s',
    async (_what, result) => {
      const { plain, read } = await bothForms(stack, result);
      const asText = await plain.post('/reports', { title: 'Bees' }, KEY);
      const asValue = await read.post('/reports', { title: 'Bees' }, KEY);
      expect([asText.status, asText.text]).toEqual([200, expect.stringContaining(`"result":${result},"error":null`)]);
      expect(JSON.parse(asText.text)).toEqual(asValue.job);
      expect(asText.header('Content-Type')).toBe(asValue.header('Content-Type'));
    },
  );

  it.each(['{"a":1', '["a"', '"', 'bees'])(
    'that is not JSON causes an internal error that does not show it: %s',
    async (result) => {
      const { plain, read, job } = await bothForms(stack, result);
      for (const app of [plain, read]) {
        for (const path of [job.links.self, job.links.result]) {
          const { status, body } = await app.get(path);
          expect([status, body]).toEqual([500, expect.objectContaining({ code: 'INTERNAL_ERROR' })]);
        }
      }
    },
  );
});

type Redact = (body: unknown) => unknown;

const OF_STATUS_ROUTES = 'an interceptor of http.decorators';

/** Everything through which an application may read and change a body, by adapter. */
const READERS: Record<string, readonly [adapters: readonly string[], parts: (redact: Redact) => AppParts]> = {
  'a global interceptor': [
    ADAPTERS,
    (redact) => ({
      configure: (nest) => nest.useGlobalInterceptors({ intercept: (_, next) => next.handle().pipe(map(redact)) }),
    }),
  ],
  [OF_STATUS_ROUTES]: [
    ADAPTERS,
    (redact) => ({
      options: {
        http: { decorators: [UseInterceptors({ intercept: (_, next) => next.handle().pipe(map(redact)) })] },
      },
    }),
  ],
  'a response.json of its own': [
    ['Express'],
    (redact) => ({
      configure: (nest) =>
        nest.use((_request: unknown, response: { json: Redact }, next: () => void) => {
          const json = response.json.bind(response);
          response.json = (body) => json(redact(body));
          next();
        }),
    }),
  ],
  'the setting json replacer': [
    ['Express'],
    () => ({ configure: (nest) => express(nest).set('json replacer', withoutSecret) }),
  ],
  'a preSerialization hook': [
    ['Fastify'],
    (redact) => ({
      configure: (nest) => fastify(nest).addHook('preSerialization', async (_request, _reply, body) => redact(body)),
    }),
  ],
  'a reply serializer': [
    ['Fastify'],
    () => ({ configure: (nest) => fastify(nest).setReplySerializer((body) => JSON.stringify(body, withoutSecret)) }),
  ],
  'a serializer of one reply': [
    ['Fastify'],
    () => ({
      configure: (nest) =>
        fastify(nest).addHook('onRequest', async (_request, reply) => {
          reply.serializer((body: unknown) => (typeof body === 'string' ? body : JSON.stringify(body, withoutSecret)));
          reply.type('application/json');
        }),
    }),
  ],
};

const CASES = Object.entries(READERS).flatMap(([reader, [adapters, parts]]) =>
  adapters.map((adapter) => ({ reader, adapter: adapter as (typeof ADAPTERS)[number], parts })),
);

describe('A result, for application code that reads responses', () => {
  it.each(CASES)('is a parsed value in $reader, on $adapter', async ({ adapter, reader, parts }) => {
    const store = await storeOf(adapter);
    const redact: Redact = (body) => JSON.parse(JSON.stringify(body, withoutSecret)) as unknown;
    const { options, ...rest } = parts(redact);
    const app = await startApp(adapter, { ...ACCEPTING, ...rest, options: { ...options, role: 'api', store } });
    const { job } = await app.post('/reports', { title: 'Bees' }, KEY);
    await completeWith(store, job, '{"text":"bees","secret":"honey"}');
    const answers = [await app.get(job.links.self), await app.get(job.links.result)];
    if (reader !== OF_STATUS_ROUTES) answers.push(await app.post('/reports', { title: 'Bees' }, KEY));
    for (const { status, text } of answers) {
      expect([status, text]).toEqual([200, expect.stringContaining('"text":"bees"')]);
      expect(text).not.toContain('honey');
    }
  });

  it.each(ADAPTERS)(
    'is a parsed value in an interceptor of an endpoint, declared on its method, class or base class, on %s',
    async (adapter) => {
      const Redact = UseInterceptors({ intercept: (_, next) => next.handle().pipe(map((body) => plain(body))) });
      const plain: Redact = (body) => JSON.parse(JSON.stringify(body, withoutSecret)) as unknown;

      @Controller('by-method')
      class ByMethod {
        @Redact
        @Post()
        @AsyncEndpoint(Report)
        create(@Body() request: ReportRequest) {
          return request;
        }
      }
      @Redact
      @Controller('by-class')
      class ByClass extends ReportsController {}
      @Redact
      class Redacting {
        @Post()
        @AsyncEndpoint(Report)
        create(@Body() request: ReportRequest) {
          return request;
        }
      }
      @Controller('by-base-class')
      class ByBaseClass extends Redacting {}

      const store = await storeOf(adapter);
      const controllers = [ByMethod, ByClass, ByBaseClass, ReportsController];
      const app = await startApp(adapter, { controllers, options: { role: 'api', store } });
      const { job } = await app.post('/reports', { title: 'Bees' }, KEY);
      await completeWith(store, job, '{"text":"bees","secret":"honey"}');
      for (const path of ['/by-method', '/by-class', '/by-base-class']) {
        const { status, text } = await app.post(path, { title: 'Bees' }, KEY);
        expect([path, status, text]).toEqual([path, 200, expect.stringContaining('"text":"bees"')]);
        expect(text).not.toContain('honey');
      }
      expect((await app.post('/reports', { title: 'Bees' }, KEY)).text).toContain('honey');
    },
  );
});

function withoutSecret(key: string, value: unknown): unknown {
  return key === 'secret' ? undefined : value;
}

function express(nest: INestApplication): { set(name: string, value: unknown): unknown } {
  return nest.getHttpAdapter().getInstance() as { set(name: string, value: unknown): unknown };
}

function fastify(nest: INestApplication): FastifyInstance {
  return nest.getHttpAdapter().getInstance() as FastifyInstance;
}

/** Completes the job as a worker does, with this text as its stored result. */
async function completeWith(store: JobStore, { id, name }: JobRepresentation, result: string): Promise<void> {
  const [claim] = await store.claim({ worker: 'w', leaseMs: 60_000, limit: 1, slots: new Map([[name, 1]]) });
  await store.settle([{ id, name, fence: claim?.fence as number, verb: 'complete', result }]);
}
