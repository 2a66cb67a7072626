import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisServer, startRedisServer, startSentinelOf } from '@app/redis-server';
import { Redis } from 'ioredis';
import { STORE_NOTICE, type StoreNotice } from '../../events/channels.js';
import { aJob, eventually } from '../../testing/index.js';
import type { RedisJobStoreOptions } from './options.js';
import { RedisJobStore } from './redis-job-store.js';
import { works } from './whole-life.testing.js';

/** What the store says while this happens. */
async function noticesOf(happening: (heard: readonly string[]) => Promise<void>): Promise<string[]> {
  const heard: string[] = [];
  const hear = (notice: unknown) => void heard.push((notice as StoreNotice).message);
  STORE_NOTICE.subscribe(hear);
  await happening(heard);
  STORE_NOTICE.unsubscribe(hear);
  return heard;
}

describe('RedisJobStore connects', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await startRedisServer();
    const admin = new Redis(server.url);
    await admin.call('ACL', 'SETUSER', 'jobs', 'on', '>secret', '~*', '&*', '+@all');
    await admin.call('ACL', 'SETUSER', 'default', 'off');
    admin.disconnect();
  });

  afterAll(() => server.stop());

  it('as an ACL user with a password from the URL, or from options, which override it', async () => {
    await works({ url: `redis://jobs:secret@127.0.0.1:${server.port}` });
    await works({ redis: { port: server.port, username: 'jobs', password: 'secret' } });
    await works({ url: `redis://jobs:wrong@127.0.0.1:${server.port}/1`, redis: { password: 'secret' } });
    await expect(works({ url: `redis://jobs:wrong@127.0.0.1:${server.port}` })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.not.stringContaining('wrong@'),
    });
  });

  it('through a Sentinel to its master', async () => {
    const sentinel = await startSentinelOf('main', server);
    onTestFinished(() => sentinel.stop());
    await works({ url: `redis+sentinel://jobs:secret@127.0.0.1:${sentinel.port}/main` });
    await works({ url: `redis+sentinel://jobs@127.0.0.1:${sentinel.port}/main/1`, redis: { password: 'secret' } });
    const message = expect.stringContaining('It is a Sentinel; connect with a URL such as redis+sentinel://') as string;
    await expect(works({ url: sentinel.url })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message });
  });

  it('through TLS, only to a server with a trusted certificate', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'async-endpoints-tls-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
    const make = [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      key,
      '-out',
      cert,
      ...subject,
    ];
    execFileSync('openssl', make, { stdio: 'ignore' });
    const probe = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => probe.once('listening', resolve));
    const { port } = probe.address() as { port: number };
    await new Promise((resolve) => probe.close(resolve));
    const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert];
    const secure = await startRedisServer(['--tls-port', String(port), ...files, '--tls-auth-clients', 'no']);
    try {
      await works({ url: `rediss://127.0.0.1:${port}`, redis: { tls: { ca: readFileSync(cert) } } });
      const untrusting = { url: `rediss://127.0.0.1:${port}`, redis: { retryStrategy: () => null } };
      await expect(works(untrusting)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    } finally {
      await secure.stop();
      rmSync(folder, { recursive: true });
    }
  });

  it('on a client of the application, which it leaves open, with a deadline for each call', async () => {
    const client = new Redis(`redis://jobs:secret@127.0.0.1:${server.port}`);
    const listeners = () => ['error', 'close', 'ready'].map((event) => client.listenerCount(event));
    const before = listeners();
    await works({ client });
    expect(await client.ping()).toBe('PONG');
    expect(listeners()).toEqual(before);
    const store = new RedisJobStore({ client, commandTimeoutMs: 50 });
    const blocked = client.blpop(randomUUID(), 1);
    await expect(store.ping()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await blocked;
    await store.close();
    client.disconnect();
  });

  it('on a client with a key prefix, and writes no other keys', async () => {
    const url = `redis://jobs:secret@127.0.0.1:${server.port}`;
    const prefix = randomUUID();
    await works({ url, prefix, redis: { keyPrefix: 'shop:' } });
    const client = new Redis(url);
    const there = await client.keys(`*${prefix}*`);
    expect(there).toContain(`shop:{${prefix}:0}:jobs`);
    expect(there.filter((key) => !key.startsWith('shop:'))).toEqual([]);
    client.disconnect();
  });

  it('without the permission for CONFIG, and without warnings', async () => {
    const admin = new Redis(`redis://jobs:secret@127.0.0.1:${server.port}`);
    await admin.call('ACL', 'SETUSER', 'careful', 'on', '>secret', '~*', '&*', '+@all', '-config');
    const heard = await noticesOf(() => works({ url: `redis://careful:secret@127.0.0.1:${server.port}` }));
    expect(heard).toEqual([]);
    admin.disconnect();
  });

  it('degraded: reports the reason once, then that Redis is back, with the warnings about its settings', async () => {
    const late = await startRedisServer();
    await late.crash();
    const redis = { retryStrategy: () => 20 };
    const store = new RedisJobStore({ url: late.url, prefix: randomUUID(), connect: 'degraded', redis });
    const job = aJob();
    const heard = await noticesOf(async (soFar) => {
      await store.open();
      await expect(store.submit([job], { queueLimit: 1 })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await late.restart();
      await eventually(async () => (await store.submit([job], { queueLimit: 1 }))[0]?.outcome === 'created');
      await store.waitForWork(['Work'], new AbortController().signal);
      await eventually(() => soFar.length === 3);
      await late.crash();
      await eventually(() => soFar.length === 4);
      await late.restart();
      await eventually(() => store.ping().then(() => true));
    });
    expect(heard).toEqual([
      expect.stringMatching(/^Redis cannot be used: .*ECONNREFUSED.*; retrying$/),
      'The connection to Redis is back',
      'Redis keeps nothing on disk: jobs are lost when it restarts.',
      'The connection to Redis is lost; retrying',
      'The connection to Redis is back',
    ]);
    await store.close();
    await late.stop();
  });

  it('to no server older than 6.2', async () => {
    const old = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (chunk: Buffer) => {
        for (const command of chunk
          .toString()
          .split(/^\*\d+\r\n/m)
          .slice(1)) {
          const info = 'redis_version:6.0.16\r\nloading:0\r\n';
          if (/info/i.test(command)) socket.write(`$${info.length}\r\n${info}\r\n`);
          else socket.write(/hello/i.test(command) ? "-ERR unknown command 'HELLO'\r\n" : '+OK\r\n');
        }
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => old.once('listening', resolve));
    const { port } = old.address() as { port: number };
    const why = 'Redis cannot be used: Redis 6.0 is too old; RedisJobStore needs 6.2 or newer.';
    await expect(works({ url: `redis://127.0.0.1:${port}` })).rejects.toMatchObject({ message: why });
    const degraded = new RedisJobStore({ url: `redis://127.0.0.1:${port}`, connect: 'degraded' });
    expect(await noticesOf(() => degraded.open())).toEqual([`${why.slice(0, -1)}.; retrying`]);
    await degraded.close();
    await new Promise((resolve) => old.close(resolve));
  });

  it('only with valid options', () => {
    const client = new Redis({ lazyConnect: true });
    const wrong: [RedisJobStoreOptions, string][] = [
      [{ url: 'redis://:pass#word@localhost' }, 'a url that can be read: in the user and the password write % as %25'],
      [{ cluster: { nodes: ['redis://:pass/word@localhost'] } }, 'a url that can be read'],
      [{ url: 'http://localhost' }, 'a url, something like redis://127.0.0.1:6379, redis+cluster://'],
      [{ url: 'redis+sentinel://localhost' }, 'a url, something like'],
      [{ client, url: 'redis://localhost' }, 'only one of url'],
      [{ cluster: { nodes: [] } }, 'at least one node in cluster.nodes'],
      [{ connect: 'later' as 'degraded' }, 'connect is "later"; expected fail-fast or degraded.'],
      [{ client: new Redis({ lazyConnect: true, stringNumbers: true }) }, 'a client without stringNumbers'],
      [{ redis: { stringNumbers: true } }, 'a client without stringNumbers'],
      [{ commandTimeoutMs: 0 }, 'commandTimeoutMs is 0; expected an integer from 1 to 3600000.'],
    ];
    for (const [options, message] of wrong) {
      expect(() => new RedisJobStore(options)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
      expect(() => new RedisJobStore(options)).toThrow(message);
    }
  });
});
