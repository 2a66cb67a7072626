import { readFile } from 'node:fs/promises';
import {
  Body,
  Controller,
  type INestApplication,
  Module,
  Post,
  type Type,
  VERSION_NEUTRAL,
  VersioningType,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ApiExcludeController, ApiTags } from '@nestjs/swagger';
import {
  AsyncEndpoint,
  AsyncEndpointsModule,
  type AsyncEndpointsExtras,
  type Submit,
  SubmitJob,
} from 'nestjs-async-endpoints';
import { ADAPTERS, type AdapterName } from '../http/start-app.js';
import { documentOf } from './documents.js';
import { Count, type Text, TextsController } from './texts.js';

const PROBLEM = 'application/problem+json';
const JSON_OR_PROBLEM = [PROBLEM, 'application/json'];
const SCHEMA = ['content', 'application/json', 'schema'];
const LINKED = ['getJob', 'getJobResult', 'getJobEvents', 'cancelJob'];

/** An application that has not started, as when `main.ts` makes its document. */
async function makeApp(
  http: AsyncEndpointsExtras['http'] = {},
  adapter: AdapterName = 'Express',
  controllers: Type[] = [TextsController],
) {
  @Module({ imports: [AsyncEndpointsModule.forRoot({ role: 'api', http })], controllers })
  class AppModule {}
  const server = adapter === 'Express' ? new ExpressAdapter() : new FastifyAdapter();
  const app: INestApplication = await NestFactory.create(AppModule, server, { logger: ['error'] });
  onTestFinished(() => app.close());
  return app;
}

function linksOf(answer: unknown): string[] {
  const { links = {} } = answer as { links?: Record<string, { operationId: string }> };
  return Object.values(links).map(({ operationId }) => operationId);
}

describe.each(ADAPTERS)('An OpenAPI document, on %s', (adapter) => {
  it('describes the request and the responses of an async endpoint', async () => {
    const document = documentOf(await makeApp({}, adapter));
    expect(document.answers('post', '/texts/count')).toEqual({
      200: ['application/json'],
      202: ['application/json'],
      400: JSON_OR_PROBLEM,
      409: [PROBLEM],
      413: JSON_OR_PROBLEM,
      415: JSON_OR_PROBLEM,
      422: [PROBLEM],
      500: [PROBLEM],
      503: [PROBLEM],
    });
    const { parameters, responses, requestBody } = document.operation('post', '/texts/count');
    expect(parameters).toMatchObject([
      { in: 'header', name: 'Prefer', required: false },
      { in: 'header', name: 'Idempotency-Key', required: false },
      { in: 'header', name: 'X-Async-Request-Id', required: false, schema: { format: 'uuid' } },
    ]);
    expect(Object.keys((responses[202] as { headers: object }).headers)).toEqual([
      'Location',
      'X-Async-Request-Id',
      'Retry-After',
      'Idempotency-Replayed',
      'Preference-Applied',
    ]);
    expect(requestBody).toMatchObject({ content: { 'application/json': {} } });
    expect(document.answers('delete', '/texts/{id}')).not.toHaveProperty('415');
    expect(document.operation('delete', '/texts/{id}').parameters).toMatchObject([
      { in: 'path', name: 'id' },
      {},
      {},
      {},
    ]);
  });

  it('describes the requests and responses of the status routes', async () => {
    const document = documentOf(await makeApp({}, adapter));
    const job = ['application/json'];
    const refused = { 400: [PROBLEM], 404: [PROBLEM], 500: [PROBLEM], 503: [PROBLEM] };
    const held = { ...refused, 429: [PROBLEM] };
    expect(document.answers('get', '/jobs/{id}')).toEqual({ 200: job, 202: job, 304: [], ...held });
    expect(document.answers('get', '/jobs/{id}/result')).toEqual({
      200: job,
      202: job,
      204: [],
      304: [],
      ...held,
      409: [PROBLEM],
      410: [PROBLEM],
    });
    expect(document.answers('get', '/jobs/{id}/events')).toEqual({ 200: ['text/event-stream'], 204: [], ...held });
    expect(document.answers('delete', '/jobs/{id}')).toEqual({ 200: job, 409: [PROBLEM], ...refused });
    const names = (parameters: unknown) => (parameters as { name: string }[]).map(({ name }) => name);
    expect(names(document.operation('get', '/jobs/{id}').parameters)).toEqual(['id', 'Prefer', 'If-None-Match']);
    expect(names(document.operation('get', '/jobs/{id}/events').parameters)).toEqual(['id', 'Last-Event-ID']);
  });

  it.each(['3.0.0', '3.1.0'])('passes a strict linter as OpenAPI %s', async (version) => {
    const app = await makeApp({ decorators: [ApiTags('Jobs')] }, adapter);
    expect(await documentOf(app, version).objections()).toEqual([]);
  });
});

describe('An OpenAPI document', () => {
  it('has a schema for each job with a result class', async () => {
    const document = documentOf(await makeApp());
    const { schemas } = document;
    const accepted = (path: string, method: 'post' | 'delete') => document.operation(method, path).responses[202];
    expect(accepted('/texts/count', 'post')).toHaveProperty(SCHEMA, { $ref: '#/components/schemas/CountJob' });
    expect(accepted('/texts/count-each', 'post')).toHaveProperty(SCHEMA, {
      $ref: '#/components/schemas/Count.each_1Job',
    });
    expect(accepted('/texts/{id}', 'delete')).toHaveProperty(SCHEMA, { $ref: '#/components/schemas/AsyncJob' });
    const counted = { type: 'object', allOf: [{ $ref: '#/components/schemas/Counted' }] };
    const typed = (name: string, result: object) => ({
      allOf: [
        { $ref: '#/components/schemas/AsyncJob' },
        { properties: { name: { type: 'string', enum: [name] }, result: { nullable: true, ...result } } },
      ],
    });
    expect(schemas['CountJob']).toMatchObject(typed('Count', counted));
    expect(schemas['Count.each_1Job']).toMatchObject(typed('Count.each:1', { type: 'array', items: counted }));
    expect(schemas['ShoutJob']).toMatchObject(typed('Shout', { type: 'string' }));
    expect(schemas['Counted']).toMatchObject({ properties: { words: { type: 'integer' } } });
  });

  it('contains every code of a problem that docs/errors.md lists', async () => {
    const { schemas } = documentOf(await makeApp());
    const { properties } = schemas['AsyncEndpointsProblem'] as { properties: { code: { enum: string[] } } };
    const table = await readFile(new URL('../../docs/errors.md', import.meta.url), 'utf8');
    const answered = [...table.matchAll(/^\| `([A-Z_]+)` +\|[^|]+\| \d{3}(?!, as)/gm)].map(
      ([, code]) => code as string,
    );
    expect(properties.code.enum.toSorted()).toEqual(answered.toSorted());
  });

  it('can be overridden by the application', async () => {
    const document = documentOf(await makeApp());
    expect(document.operation('post', '/texts/count').operationId).toBe('countWords');
    const { parameters, responses } = document.operation('post', '/texts/count-each');
    expect(parameters).toContainEqual(expect.objectContaining({ name: 'Idempotency-Key', required: true }));
    expect((parameters as { name: string }[]).filter(({ name }) => name === 'Idempotency-Key')).toHaveLength(1);
    const accepted = responses[202] as { headers: object; description: string; content: object };
    expect(Object.keys(accepted.headers)).toEqual(expect.arrayContaining(['Location', 'X-Lines']));
    expect(accepted.description).toBe('The job is queued.');
    expect(accepted.content).toMatchObject({ 'application/json': { schema: {} } });
    expect(document.operation('put', '/texts/shout').responses[409]).toMatchObject({
      description: expect.stringContaining('Or somebody else is shouting.') as string,
      content: { [PROBLEM]: {} },
    });
  });

  it('links submissions to the status routes, whatever their path', async () => {
    const app = await makeApp({ path: 'admin/work', version: '2', decorators: [ApiTags('Jobs')] });
    app.setGlobalPrefix('shop').enableVersioning({ type: VersioningType.URI });
    const document = documentOf(app);
    const { responses } = document.operation('post', '/shop/texts/count');
    for (const status of [200, 202] as const) expect(linksOf(responses[status])).toEqual(LINKED);
    expect(document.operation('get', '/shop/v2/admin/work/{id}/result').operationId).toBe('getJobResult');
    expect(document.operationIds).toEqual(expect.arrayContaining(LINKED));
    expect(await document.objections()).toEqual([]);
  });

  it.each([
    ['there are none', { statusRoutes: false }],
    ['they are kept out of it', { decorators: [ApiExcludeController()] }],
  ])('has neither status routes nor links to them when %s', async (_, http) => {
    const [linked, other] = [await makeApp(), await makeApp(http)];
    const document = documentOf(other);
    expect(document.routes).toHaveLength(4);
    expect(linksOf(document.operation('post', '/texts/count').responses[202])).toEqual([]);
    await linked.close();
  });

  it('has no links to status routes with several versions, which share no operation id', async () => {
    const app = await makeApp({ version: ['1', '2'], decorators: [ApiTags('Jobs')] });
    const document = documentOf(app.enableVersioning({ type: VersioningType.URI, defaultVersion: VERSION_NEUTRAL }));
    expect(new Set(document.operationIds).size).toBe(document.routes.length);
    expect(linksOf(document.operation('post', '/texts/count').responses[202])).toEqual([]);
  });

  it('keeps its operation ids with a custom operationIdFactory', async () => {
    const operationIdFactory = (_: string, method: string) => method;
    const document = documentOf(await makeApp(), '3.0.0', { operationIdFactory });
    expect(document.operationIds.toSorted()).toEqual(
      [...LINKED, 'countWords', 'countEach', 'shout', 'forget'].toSorted(),
    );
  });

  it('is the same for a method that submits its job itself', async () => {
    const returning = () => {
      @Controller('texts')
      class CountController {
        @Post()
        @AsyncEndpoint(Count)
        count(@Body() text: Text) {
          return text;
        }
      }
      return CountController;
    };
    const submitting = () => {
      @Controller('texts')
      class CountController {
        @Post()
        @AsyncEndpoint(Count)
        count(@SubmitJob() submit: Submit<typeof Count>, @Body() text: Text) {
          return submit(text);
        }
      }
      return CountController;
    };
    const [one, other] = [await makeApp({}, 'Express', [returning()]), await makeApp({}, 'Express', [submitting()])];
    expect(documentOf(other).json).toBe(documentOf(one).json);
  });
});
