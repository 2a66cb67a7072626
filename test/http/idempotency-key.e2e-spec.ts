import { Body, type CanActivate, Controller, Post, UseGuards } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AsyncEndpoint, defineJob, type HttpRequest } from 'nestjs-async-endpoints';
import { refused } from './answer.js';
import { ACCEPTING, HeldReport, ReportsController, type ReportRequest } from './reports.js';
import { STACKS, startApp } from './start-app.js';
import { storeOf, storesOf } from './stacks.js';

const ID = '5b7e0e4a-8f8b-4c8a-9f1f-8d8f8e8f8e8f';
const KEY = { 'Idempotency-Key': '"order-7"' };
const BEES = { title: 'Bees' };
const Fleeting = defineJob<ReportRequest>('Fleeting', { retention: { completedMs: 0, failedMs: 0, canceledMs: 0 } });
const Digest = defineJob<ReportRequest, string>('Digest');

@Controller('digests')
class DigestsController {
  @Post()
  @AsyncEndpoint(Digest)
  digest(@Body() request: ReportRequest) {
    return request;
  }

  @Post('fleeting')
  @AsyncEndpoint(Fleeting)
  fleeting(@Body() request: ReportRequest) {
    return request;
  }
}

describe.each(STACKS)('Idempotency-Key, on %s', (stack) => {
  it('makes a repeat a replay of the same job', async () => {
    const app = await startApp(stack, ACCEPTING);
    const first = await app.post('/reports', BEES, KEY);
    const second = await app.post('/reports', BEES, KEY);

    expect([first.status, first.header('Idempotency-Replayed')]).toEqual([202, null]);
    expect([second.status, second.header('Idempotency-Replayed')]).toEqual([202, 'true']);
    expect(second.header('Location')).toBe(first.header('Location'));
    expect(second.body).toEqual(first.body);
    expect(await app.all()).toHaveLength(1);
  });

  it('replays 200 with the result when the job is terminal', async () => {
    const held = new HeldReport();
    const app = await startApp(stack, { controllers: [ReportsController], providers: [held.Handler] });
    const { job } = await app.post('/reports', BEES, KEY);
    held.finish.open({ text: 'done' });
    await app.ended(job);
    const replay = await app.post('/reports', BEES, KEY);
    expect([replay.status, replay.job.result, replay.header('Idempotency-Replayed')]).toEqual([
      200,
      { text: 'done' },
      'true',
    ]);
  });

  it('does not extend a retention of 0', async () => {
    const store = await storeOf(stack);
    const app = await startApp(stack, { controllers: [DigestsController], options: { role: 'api', store } });
    const { job } = await app.post('/digests/fleeting', BEES, KEY);
    const [known] = await store.find([job.id]);
    expect(known?.retention).toEqual({ completedMs: 0, failedMs: 0, canceledMs: 0 });
    await app.delete(job.links.self);
    await store.purge(10);
    expect(await store.find([job.id])).toEqual([null]);
    const again = await app.post('/digests/fleeting', BEES, KEY);
    expect([again.status, again.header('Idempotency-Replayed')]).toEqual([202, null]);
  });

  it('is refused with 422 for another payload or query, without details of the job', async () => {
    const app = await startApp(stack, ACCEPTING);
    await app.post('/reports?tone=dry', { title: 'secret title' }, KEY);
    for (const answer of [
      await app.post('/reports?tone=dry', { title: 'guess' }, KEY),
      await app.post('/reports?tone=wet', { title: 'secret title' }, KEY),
    ]) {
      expect(answer.refusal).toEqual(refused(422, 'IDEMPOTENCY_KEY_REUSED'));
      expect(answer.header('Location')).toBeNull();
      expect(answer.text).not.toMatch(/secret|dry|Queued|order-7/);
    }
    expect(await app.all()).toHaveLength(1);
  });

  it('is scoped to its owner and job name', async () => {
    const app = await startApp(stack, {
      controllers: [ReportsController, DigestsController],
      options: { role: 'api', http: { owner: ({ headers }) => String(headers['x-user']) } },
    });
    const answers = [
      await app.post('/reports', BEES, { ...KEY, 'X-User': 'ann' }),
      await app.post('/reports', BEES, { ...KEY, 'X-User': 'bob' }),
      await app.post('/digests', { title: 'Wasps' }, { ...KEY, 'X-User': 'ann' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(new Set(answers.map(({ job }) => job.id)).size).toBe(3);
    const replay = await app.post('/reports', BEES, { ...KEY, 'X-User': 'bob' });
    expect([replay.job.id, replay.header('Idempotency-Replayed')]).toEqual([answers[1]?.job.id, 'true']);
  });

  it('creates one job from 100 concurrent identical requests to two replicas', async () => {
    const stores = await storesOf(stack);
    const replicas = [
      await startApp(stack, { ...ACCEPTING, options: { role: 'api', store: stores.replica() } }),
      await startApp(stack, { ...ACCEPTING, options: { role: 'api', store: stores.replica() } }),
    ];
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => replicas.map((app) => app.post('/reports', BEES, KEY))).flat(),
    );
    expect(new Set(answers.map(({ status, job }) => `${status} ${job.id}`)).size).toBe(1);
    expect(answers.filter((answer) => answer.header('Idempotency-Replayed') === null)).toHaveLength(1);
    expect(await replicas[0]?.all()).toHaveLength(1);
  });

  it('is remembered for jobs.idempotencyRetentionMs, and can then be reused', async () => {
    let now = Date.now();
    const app = await startApp(stack, {
      ...ACCEPTING,
      options: {
        role: 'api',
        store: await storeOf(stack, { now: () => now }),
        jobs: { idempotencyRetentionMs: 60_000 },
      },
    });
    const first = await app.post('/reports', BEES, KEY);
    now += 59_999;
    expect((await app.post('/reports', BEES, KEY)).job.id).toBe(first.job.id);
    now += 1;
    const second = await app.post('/reports', { title: 'Wasps' }, KEY);
    expect([second.status, second.job.id === first.job.id]).toEqual([202, false]);
  });

  it('takes precedence over X-Async-Request-Id in a repeat', async () => {
    const app = await startApp(stack, ACCEPTING);
    await app.post('/reports', BEES, { ...KEY, 'X-Async-Request-Id': ID });
    const other = { ...KEY, 'X-Async-Request-Id': '11111111-2222-4333-8444-555555555555' };
    const replay = await app.post('/reports', BEES, other);
    expect([replay.status, replay.job.id, replay.header('X-Async-Request-Id')]).toEqual([202, ID, ID]);
    expect((await app.post('/reports', { title: 'Wasps' }, other)).refusal).toEqual(
      refused(422, 'IDEMPOTENCY_KEY_REUSED'),
    );
    const sameId = { 'Idempotency-Key': 'other', 'X-Async-Request-Id': ID };
    expect((await app.post('/reports', { title: 'Wasps' }, sameId)).refusal).toEqual(
      refused(409, 'REQUEST_ID_CONFLICT'),
    );
  });

  it.each([
    ['bare', 'order-7', '"order-7"'],
    ['with an escaped quote and backslash', String.raw`"a\"b\\c"`, String.raw`"a\"b\\c"`],
    ['with a backslash', String.raw`a\b`, String.raw`"a\\b"`],
    ['of one character', '1', '"1"'],
    ['of 255 characters', 'k'.repeat(255), `"${'k'.repeat(255)}"`],
    ['of all that is visible', "!#$%&'()*+,-./:;<=>?@[]^_`{|}~", `"!#$%&'()*+,-./:;<=>?@[]^_\`{|}~"`],
  ])('may be %s, and is the same key in quotes', async (_what, one, same) => {
    const app = await startApp(stack, ACCEPTING);
    const first = await app.post('/reports', BEES, { 'Idempotency-Key': one });
    const second = await app.post('/reports', BEES, { 'Idempotency-Key': same });
    expect([first.status, second.job.id, second.header('Idempotency-Replayed')]).toEqual([202, first.job.id, 'true']);
  });

  it.each([
    ['empty', ''],
    ['empty in quotes', '""'],
    ['of 256 characters', 'k'.repeat(256)],
    ['of 256 characters in quotes', `"${'k'.repeat(256)}"`],
    ['two words', 'order 7'],
    ['two words in quotes', '"order 7"'],
    ['not closed', '"order-7'],
    ['not opened', 'order-7"'],
    ['followed by something', '"order-7";a=1'],
    ['wrongly escaped', String.raw`"order\7"`],
    ['not ASCII', 'größe'],
  ])('that is %s is refused with 400, and nothing is queued', async (_what, key) => {
    const app = await startApp(stack, ACCEPTING);
    const headers = { 'Idempotency-Key': key, 'Content-Type': 'application/json', 'Content-Length': 2 };
    const answer = await app.sendRaw('POST', '/reports', headers, '{}');
    expect(answer.refusal).toEqual(refused(400, 'INVALID_IDEMPOTENCY_KEY'));
    expect(await app.all()).toEqual([]);
  });

  it('given twice is refused with 400, and nothing is queued', async () => {
    const app = await startApp(stack, ACCEPTING);
    const headers = { 'Idempotency-Key': ['a', 'b'], 'Content-Type': 'application/json', 'Content-Length': 2 };
    expect((await app.sendRaw('POST', '/reports', headers, '{}')).refusal).toEqual(
      refused(400, 'INVALID_IDEMPOTENCY_KEY'),
    );
    expect(await app.all()).toEqual([]);
  });
});

class Everybody implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@Controller('guarded')
@UseGuards(Everybody)
class GuardedController {
  @Post()
  @AsyncEndpoint(Digest)
  digest(@Body() request: ReportRequest) {
    return request;
  }
}

const WARNING = 'Guards are in use, but http.owner is not set';

describe.each(STACKS)('An Idempotency-Key without an owner, on %s', (stack) => {
  it('counts within http.idempotencyScope, which is stored only as a digest', async () => {
    const store = await storeOf(stack);
    const keys: unknown[] = [];
    const submit = store.submit.bind(store);
    store.submit = (jobs, limits) => {
      keys.push(...jobs.map(({ idempotency }) => idempotency?.key));
      return submit(jobs, limits);
    };
    const http = {
      idempotencyScope: ({ headers }: HttpRequest) => (headers['x-tenant'] as string | undefined) ?? null,
    };
    const app = await startApp(stack, { controllers: [GuardedController], options: { role: 'api', store, http } });
    const as = (tenant: string) => app.post('/guarded', BEES, { ...KEY, 'X-Tenant': tenant });
    const [alice, bob, again] = [await as('alice'), await as('bob'), await as('alice')];
    const [nobody, somebody] = [await app.post('/guarded', BEES, KEY), await app.post('/guarded', BEES, KEY)];

    expect(bob.job.id).not.toBe(alice.job.id);
    expect(bob.header('Idempotency-Replayed')).toBeNull();
    expect(again.job.id).toBe(alice.job.id);
    expect(new Set([alice.job.id, bob.job.id, nobody.job.id]).size).toBe(3);
    expect(somebody.job.id).toBe(nobody.job.id);
    // A caller without a scope who spells the key as it is stored for Alice.
    const spelled = await app.post('/guarded', BEES, { 'Idempotency-Key': `"${String(keys[0])}"` });
    expect(spelled.header('Idempotency-Replayed')).toBeNull();
    expect(keys.join()).not.toMatch(/alice|bob/);
    expect(app.log.text).not.toContain(WARNING);
  });
});

describe('An Idempotency-Key without owner and scope', () => {
  it.each([
    ['guards of an endpoint', { controllers: [GuardedController] }, {}],
    ['guards of the status routes', { controllers: [DigestsController] }, { guards: [Everybody] }],
    [
      'global guards',
      { controllers: [DigestsController], providers: [{ provide: APP_GUARD, useClass: Everybody }] },
      {},
    ],
  ])('causes a warning at boot when there are %s', async (_what, parts, http) => {
    const app = await startApp('Fastify', { ...parts, options: { role: 'api', http } });
    expect(app.log.text).toContain(WARNING);
  });

  it('causes no warning without guards, or with an owner', async () => {
    const open = await startApp('Fastify', { controllers: [DigestsController], options: { role: 'api' } });
    const options = { role: 'api' as const, http: { owner: () => 'alice' } };
    const owned = await startApp('Fastify', { controllers: [GuardedController], options });
    expect(open.log.text + owned.log.text).not.toContain(WARNING);
  });

  it('is an internal error when the scope is not a string', async () => {
    const http = { idempotencyScope: () => ({ id: 7 }) as unknown as string };
    const app = await startApp('Fastify', { controllers: [DigestsController], options: { role: 'api', http } });
    expect((await app.post('/digests', BEES, KEY)).status).toBe(500);
    expect(app.log.text).toContain('http.idempotencyScope returned a value of type object');
  });
});
