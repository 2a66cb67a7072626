import { redisCli, type RedisServer, startRedisServer } from '@app/redis-server';
import { Redis } from 'ioredis';
import { RedisJobStore, type RedisJobStoreOptions } from 'nestjs-async-endpoints/redis';
import { aJob, eventually } from 'nestjs-async-endpoints/testing';
import type { Answer } from '../http/answer.js';
import { everything, PLANTED, Secret, SECRETS, startFailingApp } from './failing-app.js';

describe('No secret leaves the store when everything fails', () => {
  let server: RedisServer;
  let opened: RedisJobStore[];

  beforeEach(async () => {
    opened = [];
    server = await startRedisServer();
    await redisCli('-p', String(server.port), 'config', 'set', 'requirepass', SECRETS.password);
  });

  afterEach(async () => {
    await Promise.all(opened.map((store) => store.close()));
    await server.stop();
  });

  const redis = (...command: string[]) =>
    redisCli('-p', String(server.port), '--no-auth-warning', '-a', SECRETS.password, ...command);
  const url = (password: string) => `redis://:${password}@127.0.0.1:${server.port}`;
  const open = async (options: RedisJobStoreOptions) => {
    const store = new RedisJobStore(options);
    opened.push(store);
    await store.open();
    return store;
  };
  const spoil = async (id: string, part: string | RegExp, by: string) => {
    const client = new Redis(url(SECRETS.password));
    const text = (await client.hget('{ae:0}:jobs', id)) ?? '';
    expect(text).toMatch(part);
    await client.hset('{ae:0}:jobs', id, text.replace(part, by));
    client.disconnect();
  };
  const errorOf = (call: Promise<unknown>) =>
    call.then(
      () => expect.unreachable(),
      (error: unknown) => error,
    );

  it('in errors of calls and boots', async () => {
    const store = await open({ url: url(SECRETS.password) });
    const job = aJob({ payload: JSON.stringify({ request: SECRETS.payload }) });
    await store.submit([job], { queueLimit: 10 });
    const [claim] = await store.claim({ worker: 'w', leaseMs: 60_000, limit: 1, slots: new Map([['Work', 1]]) });
    const settlement = {
      verb: 'complete',
      id: job.id,
      name: 'Work',
      fence: claim?.fence ?? 0,
      result: SECRETS.result,
    } as const;
    const submit = () =>
      store.submit([aJob({ payload: JSON.stringify({ request: SECRETS.payload }) })], { queueLimit: 10 });
    const errors: unknown[] = [await errorOf(open({ url: url(`wrong-${SECRETS.password}`) }))];
    await redis('config', 'set', 'maxmemory', '1');
    errors.push(await errorOf(submit()));
    await redis('config', 'set', 'maxmemory', '0', 'min-replicas-to-write', '1');
    errors.push(await errorOf(submit()), await errorOf(store.settle([settlement])));
    await redis('config', 'set', 'min-replicas-to-write', '0');
    await redis('acl', 'setuser', 'default', '-evalsha', '-eval');
    errors.push(await errorOf(submit()), await errorOf(store.settle([settlement])));
    await redis('acl', 'setuser', 'default', '+@all');
    await server.crash();
    await eventually(() =>
      submit().then(
        () => false,
        (error: unknown) => errors.push(error),
      ),
    );
    expect(errors).toHaveLength(7);
    for (const error of errors) {
      expect(error).toMatchObject({ code: expect.stringMatching(/^STORE_/), cause: expect.any(Error) });
      expect(everything(error)).not.toMatch(PLANTED);
    }
  });

  it('when a server quotes the arguments of an unknown command', async () => {
    const other = await startRedisServer(['--rename-command', 'AUTH', '', '--rename-command', 'HELLO', '']);
    const error = await errorOf(open({ url: `redis://:${SECRETS.password}@127.0.0.1:${other.port}` }));
    await other.stop();
    expect(everything(error)).not.toMatch(PLANTED);
  });

  it.each(['#', '/', '?', '%'])(
    'in the error of a URL that cannot be parsed because of a %s in its password',
    async (mark) => {
      const error = await errorOf(open({ url: url(`${SECRETS.password}${mark}word`) }));
      expect(error).toMatchObject({ code: 'INVALID_OPTION' });
      expect(everything(error)).not.toMatch(PLANTED);
    },
  );

  it('in log lines, errors, metrics, spans and responses of an application, with and without failures', async () => {
    const denied = () => redis('acl', 'setuser', 'default', '-evalsha', '-eval');
    const { app, lines, hold, seen } = await startFailingApp(url(SECRETS.password), denied);
    const answers: Answer[] = [];
    const note = { 'X-Note': SECRETS.header, Authorization: `Bearer ${SECRETS.header}` };
    const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
      const answer = await app.send(method, `${path}?note=${SECRETS.url}`, { body, headers: { ...note, ...headers } });
      answers.push(answer);
      return answer;
    };
    const submit = (kind: string, headers = {}, text = SECRETS.payload) =>
      ask('POST', '/secrets', { kind, text }, headers);
    const codeOf = async (submitted: Promise<Answer>) => (await app.jobs.waitFor((await submitted).job.id)).error?.code;

    // What fails of its own accord, and what is refused.
    expect(await codeOf(submit('throw'))).toBe('ERROR');
    expect(await codeOf(submit('circle'))).toBe('RESULT_NOT_SERIALIZABLE');
    expect(await codeOf(submit('large'))).toBe('RESULT_TOO_LARGE');
    expect(await codeOf(submit('invalid', {}, SECRETS.payload.repeat(10)))).toBe('PAYLOAD_INVALID');
    expect(await codeOf(ask('POST', '/late', { kind: '', text: SECRETS.payload }))).toBe('JOB_TIMEOUT');
    await submit('throw', { 'Idempotency-Key': 'one' });
    const refused = [
      await submit('circle', { 'Idempotency-Key': 'one' }),
      await submit('throw', { 'X-Async-Request-Id': SECRETS.header }),
      await submit('throw', { 'Idempotency-Key': `${SECRETS.header} of two words` }),
      await submit('throw', {}, SECRETS.payload.repeat(10_000)),
      await submit('throw', { 'X-Fault': SECRETS.header }),
    ];
    expect(refused.map(({ status }) => status)).toEqual([422, 400, 400, 413, 500]);

    // What somebody has spoilt in the store.
    const [held, unreadable] = [await submit('hold'), await submit('')];
    await hold.claimed.opened;
    await spoil(unreadable.job.id, /\{[^\n]*$/, SECRETS.payload);
    hold.released.open();
    expect(await codeOf(Promise.resolve(unreadable))).toBe('PAYLOAD_NOT_READABLE');
    await app.jobs.waitFor(held.job.id);
    const done = (await submit('')).job.id;
    await app.jobs.waitFor(done);
    await spoil(done, '"done"', SECRETS.result);
    expect((await ask('GET', `/jobs/${done}`)).status).toBe(500);

    // What the store refuses, then that it refuses everything, then that it is gone.
    const before = answers.length;
    for (const setting of ['maxmemory', 'min-replicas-to-write']) {
      await redis('config', 'set', setting, '1');
      await submit('throw');
      await redis('config', 'set', setting, '0');
    }
    const { job } = await submit('break');
    await eventually(() => lines.some((line) => /The job store fails/.test(line)));
    for (const path of ['', '/result', '/events']) await ask('GET', `/jobs/${job.id}${path}`);
    await ask('DELETE', `/jobs/${job.id}`);
    await server.crash();
    await submit('throw');
    const errors = [
      await errorOf(app.jobs.submit(Secret, { kind: 'throw', text: SECRETS.payload })),
      await errorOf(app.jobs.list()),
    ];
    const statuses = answers.slice(before).map(({ status }) => status);
    expect(statuses).toEqual([503, 503, 202, 503, 503, 503, 503, 503]);

    const { metrics, spans } = await seen();
    await app.close();
    expect(metrics).toContain('asyncendpoints.store.errors');
    for (const code of ['STORE_UNAVAILABLE', 'RESULT_NOT_SERIALIZABLE']) expect(spans).toContain(code);
    const texts = { lines: lines.join('\n'), errors: errors.map(everything).join('\n'), metrics, spans };
    for (const [what, text] of Object.entries(texts)) expect([what, PLANTED.exec(text)]).toEqual([what, null]);
    for (const { text, headers } of answers) expect(PLANTED.exec(text + JSON.stringify([...headers]))).toBeNull();
  });
});
