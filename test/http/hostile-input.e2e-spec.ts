import { Body, Controller, Post, ValidationPipe } from '@nestjs/common';
import { IsOptional, IsString } from 'class-validator';
import { AsyncEndpoint, defineJob } from 'nestjs-async-endpoints';
import { refused } from './answer.js';
import { handlerOf, ReportHandler, ReportsController, UNKNOWN_ID } from './reports.js';
import { ADAPTERS, type RunningApp, startApp } from './start-app.js';

const Probe = defineJob<object, object>('Probe');

/** Looks for what a polluted prototype would give every object. */
const ProbeHandler = handlerOf(Probe, (request, { queryParams, headers, routeParams }) => ({
  polluted: ({} as { polluted?: string }).polluted ?? 'no',
  isPlain: request === null || typeof request !== 'object' || Object.getPrototypeOf(request) === Object.prototype,
  values: [...queryParams, ...routeParams].length,
  constructed: typeof headers.get('constructor'),
}));

class ProbeDto {
  @IsOptional()
  @IsString()
  title?: string;
}

@Controller('probes')
class ProbesController {
  @Post()
  @AsyncEndpoint(Probe)
  create(@Body() body: object) {
    return body;
  }

  @Post('validated')
  @AsyncEndpoint(Probe)
  validated(@Body(new ValidationPipe({ transform: true, whitelist: true })) body: ProbeDto) {
    return body;
  }

  @Post(':name')
  @AsyncEndpoint(Probe)
  named(@Body() body: object) {
    return body;
  }
}

const PROBING = {
  controllers: [ProbesController, ReportsController],
  providers: [ProbeHandler, ReportHandler],
  options: { jobs: { defaultMaxRetries: 0 } },
};

const WITH_ID = { 'X-Async-Request-Id': UNKNOWN_ID };

/** Whatever was done to it, it still works. */
async function expectWell(app: RunningApp): Promise<void> {
  const { job } = await app.post('/probes', { fine: true });
  expect((await app.ended(job)).job.result).toMatchObject({ polluted: 'no', isPlain: true });
  expect(({} as { polluted?: string }).polluted).toBeUndefined();
}

describe.each(ADAPTERS)('A hostile body, on %s', (adapter) => {
  it.each([
    '{"__proto__":{"polluted":"yes"}}',
    '{"constructor":{"prototype":{"polluted":"yes"}}}',
    '{"a":{"b":{"__proto__":{"polluted":"yes"},"toString":1}}}',
    '{"__proto__":null,"hasOwnProperty":1,"toJSON":2}',
    '[{"__proto__":{"polluted":"yes"}}]',
    '{"result":null,"request":1,"snapshot":{"headers":[["authorization","x"]]}}',
  ])('pollutes no prototype, with and without an id or validation: %s', async (body) => {
    const app = await startApp(adapter, PROBING);
    for (const [path, headers] of [
      ['/probes', {}],
      ['/probes', WITH_ID],
      ['/probes/validated', {}],
    ] as const) {
      const answer = await app.post(path, body, headers);
      expect([202, 400]).toContain(answer.status);
      if (answer.status !== 202) continue;
      const ended = await app.ended(answer.job);
      expect(ended.job.status).toBe('Completed');
      expect(ended.job.result).toMatchObject({ polluted: 'no' });
    }
    await expectWell(app);
  });

  it('that differs in __proto__ is another request and not a replay', async () => {
    const app = await startApp(adapter, { ...PROBING, options: { role: 'api' } });
    await app.post('/probes', '{"a":1}', WITH_ID);
    const answer = await app.post('/probes', '{"a":1,"__proto__":{"b":2}}', WITH_ID);
    expect([400, 409]).toContain(answer.status);
  });

  it.each([100, 2_000, 4_000, 10_000, 45_000])(
    'nested %i deep is accepted or refused, without an internal error',
    async (depth) => {
      const app = await startApp(adapter, PROBING);
      const list = '['.repeat(depth) + ']'.repeat(depth);
      const object = '{"a":'.repeat(Math.floor(depth / 4)) + '1' + '}'.repeat(Math.floor(depth / 4));
      for (const body of [list, object]) {
        for (const id of [undefined, crypto.randomUUID()]) {
          const { status } = await app.post('/probes', body, id ? { 'X-Async-Request-Id': id } : {});
          expect([202, 400, 413]).toContain(status);
        }
      }
      expect(app.log.text).not.toContain('correlation id');
      await expectWell(app);
    },
  );

  it.each([{}, WITH_ID])('nested too deeply is refused with 413 and the reason: %j', async (headers) => {
    const app = await startApp(adapter, PROBING);
    const answer = await app.post('/probes', '['.repeat(40_000) + ']'.repeat(40_000), headers);
    expect(answer.refusal).toEqual(refused(413, 'PAYLOAD_TOO_LARGE'));
    expect(answer.problem.detail).toBe('The request is nested too deeply.');
    expect(await app.all()).toEqual([]);
  });

  it.each([
    '{"n":1e999}',
    '{"n":-0}',
    '{"":""}',
    '{"s":"\\u0000\\ud800"}',
    '{"a":1,"a":2}',
    '"text"',
    '7',
    'true',
    '[]',
  ])('of unusual JSON is accepted or refused: %s', async (body) => {
    const app = await startApp(adapter, PROBING);
    for (const headers of [{}, WITH_ID]) {
      const answer = await app.post('/probes', body, headers);
      expect([202, 400]).toContain(answer.status);
      if (answer.status === 202) expect((await app.ended(answer.job)).status).toBe(200);
    }
    await expectWell(app);
  });
});

describe.each(ADAPTERS)('A hostile query or path, on %s', (adapter) => {
  it.each([
    '__proto__=1&constructor=2&prototype=3',
    '__proto__[polluted]=yes&constructor[prototype][polluted]=yes',
    'a[__proto__][polluted]=yes&a[]=1&a[length]=1e9',
    'toString=1&hasOwnProperty=1&toJSON=1',
    '%00=%00&%ff=%fe&%=%',
    `${'a'.repeat(4_000)}=1`,
    Array(1_500).fill('a=1').join('&'),
    '&&&===&?',
  ])('pollutes no prototype and causes no internal error: ?%s', async (query) => {
    const app = await startApp(adapter, PROBING);
    const answer = await app.sendRaw('POST', `/probes?${query}`, WITH_ID);
    expect([202, 400]).toContain(answer.status);
    if (answer.status === 202) {
      expect((await app.ended(answer.job)).job.result).toMatchObject({ polluted: 'no', constructed: 'undefined' });
      const replay = await app.sendRaw('POST', `/probes?${query}`, WITH_ID);
      expect(replay.header('Idempotency-Replayed')).toBe('true');
    }
    await expectWell(app);
  });

  it.each([
    '__proto__',
    'constructor',
    '%00',
    '%2e%2e%2f',
    '%ff',
    '%',
    "';drop table jobs",
    '{{7*7}}',
    '%0d%0aX-Evil:1',
  ])('as a route value is text or refused: %s', async (name) => {
    const app = await startApp(adapter, PROBING);
    const answer = await app.sendRaw('POST', `/probes/${name.replaceAll(' ', '%20')}`, {});
    expect([202, 400]).toContain(answer.status);
    expect(answer.header('X-Evil')).toBeNull();
    await expectWell(app);
  });

  it.each([
    '%00',
    `${UNKNOWN_ID}%00`,
    '..%2f..%2fetc%2fpasswd',
    '../../etc/passwd',
    '%2e%2e/%2e%2e/jobs',
    '__proto__',
    'constructor',
    '%ff%fe',
    '%',
    '%E0%A4%A',
    'a'.repeat(99),
    'a'.repeat(101),
    'a'.repeat(8_000),
    `${UNKNOWN_ID}/../${UNKNOWN_ID}`,
    `${UNKNOWN_ID};x=1`,
    '*',
    '{id}',
    '%0d%0aX-Evil:%201',
  ])('as a job id is 400 or 404, from the library or the router: %s', async (id) => {
    const app = await startApp(adapter, PROBING);
    for (const [method, suffix] of [
      ['GET', ''],
      ['GET', '/result'],
      ['DELETE', ''],
    ] as const) {
      const answer = await app.sendRaw(method, `/jobs/${id}${suffix}`);
      expect([400, 404, 414]).toContain(answer.status);
      expect(answer.header('X-Evil')).toBeNull();
    }
    await expectWell(app);
  });
});

describe.each(ADAPTERS)('Hostile headers, on %s', (adapter) => {
  it.each<[string, Record<string, string | string[]>]>([
    ['a request id with control characters', { 'X-Async-Request-Id': '\t\t' }],
    ['a request id of 8,000 characters', { 'X-Async-Request-Id': 'f'.repeat(8_000) }],
    ['a request id like a format', { 'X-Async-Request-Id': '%s%n${7*7}{{7*7}}' }],
    ['many preferences', { Prefer: Array(200).fill('respond-async, wait=999999999999999999999') }],
    [
      'a preference that costs a regular expression',
      { Prefer: `${' '.repeat(7_000)}respond-async${';'.repeat(7_000)}` },
    ],
    ['a prototype', { __proto__x: '1', constructor: 'x', 'to-string': 'x' }],
    ['latin letters', { 'User-Agent': 'größe', 'X-Request-Id': '\u00ff\u00fe' }],
    ['many of one name', { 'X-Request-Id': Array(300).fill('a'), Accept: Array(300).fill('*/*') }],
    ['two content types', { 'Content-Type': ['application/json', 'text/html'] }],
    ['an absurd content type', { 'Content-Type': ';;;/=,application' }],
    ['an unknown charset', { 'Content-Type': 'application/json; charset=klingon' }],
    ['an unknown encoding', { 'Content-Encoding': 'br, gzip, klingon' }],
    ['an encoding that it has not', { 'Content-Encoding': 'gzip' }],
    ['another host', { Host: 'evil.example', 'X-Forwarded-Host': 'evil.example' }],
    ['another method', { 'X-HTTP-Method-Override': 'DELETE' }],
    ['a condition', { 'If-None-Match': '*', 'If-Match': '"x"', Range: 'bytes=0-1' }],
  ])('are accepted or refused, without an internal error: %s', async (_what, headers) => {
    const app = await startApp(adapter, PROBING);
    const body = '{"a":1}';
    const all = { 'Content-Type': 'application/json', 'Content-Length': body.length, ...headers };
    const answer = await app.sendRaw('POST', '/probes', all, body);
    expect([200, 202, 400, 413, 415]).toContain(answer.status);
    expect(answer.text).not.toContain('evil');
    expect(answer.header('Location') ?? '/jobs/').toMatch(/^\/jobs\//);
    if (answer.status === 202) expect((await app.ended(answer.job)).job.status).toBe('Completed');
    await expectWell(app);
  });

  it('larger than the limit of the server are refused by it', async () => {
    const app = await startApp(adapter, PROBING);
    const answer = await app.sendRaw('POST', '/probes', { 'X-Async-Request-Id': 'f'.repeat(20_000) });
    expect(answer.status).toBe(431);
    await expectWell(app);
  });

  it('are not repeated in headers or links of the response', async () => {
    const app = await startApp(adapter, PROBING);
    const answer = await app.sendRaw('GET', '/jobs/%3Cscript%3Ealert(1)%3C%2Fscript%3E', { Accept: 'text/html' });
    expect(answer.status).toBe(400);
    expect(answer.header('Content-Type')).toMatch(/^application\/problem\+json/);
    expect(answer.text).not.toContain('<script>');
  });
});
