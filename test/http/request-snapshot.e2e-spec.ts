import { Body, Controller, Param, Post, Put, Query } from '@nestjs/common';
import { AsyncEndpoint, defineJob, JobStore, type RequestValue } from 'nestjs-async-endpoints';
import { ACCEPTING, handlerOf, ReportsController } from './reports.js';
import { type AppParts, STACKS, startApp } from './start-app.js';
import { storeOf } from './stacks.js';

interface Seen {
  headers: RequestValue[];
  routeParams: RequestValue[];
  queryParams: RequestValue[];
  byName: unknown;
}

/** Its result is what its handler sees of the request. */
const Look = defineJob<object, Seen>('Look');
const LookHandler = handlerOf(Look, (_request, { headers, routeParams, queryParams }) => ({
  headers: [...headers],
  routeParams: [...routeParams],
  queryParams: [...queryParams],
  byName: [
    headers.get('X-REQUEST-ID'),
    headers.get('x-request-id'),
    routeParams.get('SHELF'),
    queryParams.get('Tag'),
    queryParams.getAll('tag'),
    [headers.has('Accept-Language'), headers.has('Cookie'), queryParams.get('nothing') ?? 'nothing'],
  ],
}));

@Controller('shelves')
class ShelvesController {
  @Put(':shelf/books/:book')
  @AsyncEndpoint(Look, { queryParams: ['Empty', 'n'] })
  put(@Body() body: object, @Query('tag') _tag: unknown, @Query() _all: unknown) {
    return body;
  }

  @Put('locked/:code')
  @AsyncEndpoint(Look)
  locked(@Param('code') _code: string, @Query('nextToken') _next: unknown, @Body() body: object) {
    return body;
  }

  @Put('open/:code')
  @AsyncEndpoint(Look, { queryParams: ['nextToken'], routeParams: ['code'] })
  open(@Param('code') _code: string, @Query('nextToken') _next: unknown, @Body() body: object) {
    return body;
  }

  @Post()
  @AsyncEndpoint(Look)
  post(@Body() body: object) {
    return body;
  }
}

const LOOKING: AppParts = { controllers: [ShelvesController], providers: [LookHandler] };

const CREDENTIALS = {
  Authorization: 'Bearer sesame-1',
  Cookie: 'sid=sesame-2; theme=dark',
  'Proxy-Authorization': 'Basic sesame-3',
  'X-Api-Key': 'sesame-4',
  'X-Auth-Token': 'sesame-5',
  'X-Csrf-Token': 'sesame-6',
  'X-Amz-Security-Token': 'sesame-7',
  'X-Forwarded-Access-Token': 'sesame-8',
  'X-Whatever': 'sesame-9',
};

describe.each(STACKS)('The request values of a handler, on %s', (stack) => {
  it('are the headers of the allow-list, the route values and the declared query values, as text', async () => {
    const app = await startApp(stack, LOOKING);
    const { job } = await app.send('PUT', '/shelves/A%2F7/books/42?tag=one&tag=two&Empty=&n=7&page=3', {
      body: {},
      headers: {
        ...CREDENTIALS,
        'X-Request-Id': 'r-1',
        'X-Correlation-Id': 'c-1',
        'Accept-Language': 'de',
        'User-Agent': 'test/1',
        Traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      },
    });
    const seen = (await app.ended(job)).job.result as Seen;

    expect(Object.fromEntries(seen.headers)).toEqual({
      accept: '*/*',
      'accept-language': 'de',
      'content-type': 'application/json',
      'user-agent': 'test/1',
      'x-request-id': 'r-1',
      'x-correlation-id': 'c-1',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    });
    expect(seen.routeParams).toEqual([
      ['shelf', 'A/7'],
      ['book', '42'],
    ]);
    expect(seen.queryParams).toEqual([
      ['tag', 'one'],
      ['tag', 'two'],
      ['Empty', ''],
      ['n', '7'],
    ]);
    expect(seen.byName).toEqual(['r-1', 'r-1', 'A/7', 'one', ['one', 'two'], [true, false, 'nothing']]);
  });

  it('are only the headers that captureHeaders names, in any case', async () => {
    const app = await startApp(stack, {
      ...LOOKING,
      options: { http: { captureHeaders: ['X-Tenant', 'x-request-id'] } },
    });
    const { job } = await app.post('/shelves', {}, { 'x-tenant': 'acme', 'X-Request-Id': 'r-1', ...CREDENTIALS });
    expect(((await app.ended(job)).job.result as Seen).headers).toEqual([
      ['X-Tenant', 'acme'],
      ['x-request-id', 'r-1'],
    ]);
  });

  it('include no headers when captureHeaders is empty', async () => {
    const app = await startApp(stack, { ...LOOKING, options: { http: { captureHeaders: [] } } });
    const { job } = await app.post('/shelves', {});
    expect(((await app.ended(job)).job.result as Seen).headers).toEqual([]);
  });

  it('include no undeclared query values; the log states once how to declare them', async () => {
    const app = await startApp(stack, LOOKING);
    const query = 'key=s1&code=s2&passphrase=s3&hmac=s4&ticket=s5&apiKey=s6&page=2';
    const { job } = await app.post(`/shelves?${query}`, {});
    await app.post(`/shelves?${query}&${Array.from({ length: 99 }, (_, n) => `other${n}=1`).join('&')}`, {});
    expect(((await app.ended(job)).job.result as Seen).queryParams).toEqual([]);
    const told = app.log.text.split('\n').filter((line) => line.includes('ShelvesController.post does not pass'));
    expect(told).toHaveLength(10);
    expect(
      told.filter((line) => /query value "page".* add @Query\(\) .* queryParams of @AsyncEndpoint/.test(line)),
    ).toHaveLength(1);
  });

  it('include those of http.captureQueryParams on every endpoint', async () => {
    const app = await startApp(stack, { ...LOOKING, options: { http: { captureQueryParams: ['page'] } } });
    const { job } = await app.post('/shelves?page=2&size=9', {});
    expect(((await app.ended(job)).job.result as Seen).queryParams).toEqual([['page', '2']]);
  });

  it('include no values named like credentials, with a warning at boot, unless the endpoint names them', async () => {
    const app = await startApp(stack, LOOKING);
    expect(app.log.text).toMatch(
      /ShelvesController\.locked does not pass the route value "code".* routeParams of @AsyncEndpoint/,
    );
    expect(app.log.text).toMatch(
      /ShelvesController\.locked does not pass the query value "nextToken".* queryParams of/,
    );
    expect(app.log.text).not.toContain('ShelvesController.open');
    const seen = async (where: string) => {
      const { job } = await app.send('PUT', `/shelves/${where}/17?nextToken=p2`, { body: {} });
      const { routeParams, queryParams } = (await app.ended(job)).job.result as Seen;
      return { routeParams, queryParams };
    };
    expect(await seen('locked')).toEqual({ routeParams: [], queryParams: [] });
    expect(await seen('open')).toEqual({ routeParams: [['code', '17']], queryParams: [['nextToken', 'p2']] });
  });

  it('are empty for a job submitted from code', async () => {
    const app = await startApp(stack, LOOKING);
    const { id } = await app.jobs.submit(Look, {});
    const { result } = await app.jobs.waitFor<Seen>(id);
    expect(result).toMatchObject({ headers: [], routeParams: [], queryParams: [] });
  });
});

describe.each(STACKS)('The stored part of a request, on %s', (stack) => {
  it('contains no credential from any header or query, in record or payload', async () => {
    const store = await storeOf(stack);
    const app = await startApp(stack, {
      controllers: [ReportsController, ShelvesController],
      options: { role: 'api', store, http: { owner: ({ headers }) => headers['x-user'] as string } },
    });
    const headers = { ...CREDENTIALS, 'X-User': 'ann', 'X-Request-Id': 'r-1' };
    await app.post('/reports?token=sesame-q1&api-key=sesame-q2&page=2', { title: 'Bees' }, headers);
    await app.send('PUT', '/shelves/A/books/1?password=sesame-q3', { body: { title: 'Wasps' }, headers });
    const slots = new Map([
      ['Report', 1],
      ['Look', 1],
    ]);
    const claims = await app.nest.get(JobStore).claim({ worker: 'test', leaseMs: 60_000, limit: 2, slots });
    const stored = JSON.stringify({ claims, listed: await store.list({}, { limit: 10 }) });

    expect(claims).toHaveLength(2);
    for (const kept of ['Bees', 'Wasps', 'r-1', 'ann']) expect(stored).toContain(kept);
    expect(stored).not.toMatch(/sesame/i);
    expect(stored).not.toMatch(/authorization|cookie|bearer|x-whatever|x-api-key|password/i);
  });

  it('is not in the log', async () => {
    const app = await startApp(stack, ACCEPTING);
    await app.post('/reports?token=sesame', { title: 'sesame' }, CREDENTIALS);
    await app.post('/reports?token=sesame', { title: 'sesame' }, { ...CREDENTIALS, 'X-Async-Request-Id': 'sesame' });
    expect(app.log.text).not.toContain('sesame');
  });
});
