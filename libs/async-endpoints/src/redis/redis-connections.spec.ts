import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisServer, startRedisServer } from '@app/redis-server';
import { Redis } from 'ioredis';
import { aJob } from '../testing/index.js';
import { RedisJobStore, type RedisJobStoreOptions } from './redis-job-store.js';

/** Whether it can do the whole life of a job, on all three connections. */
async function works(options: RedisJobStoreOptions): Promise<void> {
  const store = new RedisJobStore({ prefix: randomUUID(), ...options });
  await store.open();
  try {
    const job = aJob();
    let heard: () => void = () => {};
    const change = new Promise<void>((resolve) => (heard = resolve));
    const unwatch = await store.watch({ job: job.id }, heard);
    const woken = store.waitForWork(['Work'], new AbortController().signal);
    await store.submit([job], { queueLimit: 1 });
    await woken;
    const [claim] = await store.claim({ worker: 'w', leaseMs: 1_000, limit: 1, slots: new Map([['Work', 1]]) });
    await change;
    unwatch();
    const settlement = {
      id: job.id,
      name: 'Work',
      token: claim?.token as number,
      verb: 'complete',
      result: '1',
    } as const;
    expect(await store.settle([settlement])).toEqual([true]);
    expect(await store.audit()).toEqual([]);
  } finally {
    await store.close();
  }
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

  it('as an ACL user with a password, from the URL or from options, which win', async () => {
    await works({ url: `redis://jobs:secret@127.0.0.1:${server.port}` });
    await works({ redis: { port: server.port, username: 'jobs', password: 'secret' } });
    await works({ url: `redis://jobs:wrong@127.0.0.1:${server.port}/1`, redis: { password: 'secret' } });
    await expect(works({ url: `redis://jobs:wrong@127.0.0.1:${server.port}` })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.not.stringContaining('wrong@'),
    });
  });

  it('through TLS, to a server whose certificate it was told to trust, and to no other', async () => {
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

  it('on a client of the application, which it leaves open; a call that it does not answer ends at the deadline', async () => {
    const client = new Redis(`redis://jobs:secret@127.0.0.1:${server.port}`);
    await works({ client });
    expect(await client.ping()).toBe('PONG');
    const store = new RedisJobStore({ client, commandTimeoutMs: 50 });
    const blocked = client.blpop(randomUUID(), 1);
    await expect(store.ping()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await blocked;
    await store.close();
    client.disconnect();
  });

  it('to no server older than 6.2, and says so', async () => {
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
    await expect(works({ url: `redis://127.0.0.1:${port}` })).rejects.toMatchObject({
      message: 'Redis cannot be used: Redis 6.0 is too old; RedisJobStore needs 6.2 or newer.',
    });
    await new Promise((resolve) => old.close(resolve));
  });

  it('with options that make sense, or says which do not', () => {
    const client = new Redis({ lazyConnect: true });
    const wrong: [RedisJobStoreOptions, string][] = [
      [{ url: 'http://localhost' }, 'a url that begins with redis:// or rediss://'],
      [{ client, url: 'redis://localhost' }, 'only one of url'],
      [{ cluster: { nodes: [] } }, 'at least one node in cluster.nodes'],
      [{ connect: 'later' as 'degraded' }, 'connect to be fail-fast or degraded; it is "later"'],
      [{ commandTimeoutMs: 0 }, 'commandTimeoutMs to be an integer from 1; it is 0'],
    ];
    for (const [options, message] of wrong) {
      expect(() => new RedisJobStore(options)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
      expect(() => new RedisJobStore(options)).toThrow(message);
    }
  });
});
