import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type RedisServer, startRedisServer } from '@app/redis-server';
import { Redis } from 'ioredis';
import { RedisJobStore } from 'nestjs-async-endpoints/redis';
import { aJob } from 'nestjs-async-endpoints/testing';

const run = promisify(execFile);
const LIBRARY = new URL('../../libs/async-endpoints/dist/index.js', import.meta.url).href;
const SCRIPT = new URL('memory-heap.mjs', import.meta.url).pathname;
const LIMITS = { queueLimit: 1_000_000 };
const SIZES = [
  [60, 2_000],
  [1_000, 1_000],
  [20_000, 200],
  [100_000, 50],
] as const;
const text = (length: number) => JSON.stringify('x'.repeat(length - 2));

/** What docs/sizing.md says that a job takes: so much for each byte of what it carries, and so much beside. */
async function formula(store: string, job: string): Promise<(length: number) => number> {
  const page = await readFile(new URL('../../docs/sizing.md', import.meta.url), 'utf8');
  const row = page.split('\n').find((line) => line.startsWith(`| ${store} `) && line.includes(`| ${job}`));
  const [, factor = '0', fixed = ''] = /\| (?:([\d.]+) × .* \+ )?([\d,]+) +\|$/.exec(row ?? '') ?? [];
  return (length) => Number(factor) * length + Number(fixed.replace(',', ''));
}

async function expectFormula(store: string, job: string, measured: number, length: number): Promise<void> {
  const said = (await formula(store, job))(length);
  expect(measured, `${job}, ${length} bytes: measured`).toBeLessThanOrEqual(said);
  expect(measured, `${job}, ${length} bytes: measured`).toBeGreaterThanOrEqual(said / 2);
}

describe('docs/sizing.md states the measured memory', () => {
  let server: RedisServer;
  let client: Redis;
  let store: RedisJobStore;

  beforeAll(async () => {
    server = await startRedisServer();
    client = new Redis(server.url);
  });

  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });

  beforeEach(async () => {
    await client.flushall();
    store = new RedisJobStore({ url: server.url });
    await store.open();
    await ending(await submitted(1, 60), 'complete', 60); // scripts and keys are not the jobs'
  });

  afterEach(() => store.close());

  const used = async () => Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]);

  async function submitted(count: number, length: number, keyed = false): Promise<number> {
    const retention = { completedMs: 86_400_000, failedMs: 86_400_000, canceledMs: 86_400_000 };
    const jobs = Array.from({ length: count }, (_, n) => {
      const idempotency = keyed ? { key: String(n), retentionMs: 86_400_000 } : null;
      return aJob({ payload: text(length), retention, idempotency });
    });
    for (let at = 0; at < count; at += 50) await store.submit(jobs.slice(at, at + 50), LIMITS);
    return count;
  }

  /** Each in an empty Redis, so that its tables have grown to the same size in both. */
  async function usedBy(count: number, keyed: boolean): Promise<number> {
    await client.flushall();
    const empty = await used();
    await submitted(count, 60, keyed);
    return (await used()) - empty;
  }

  async function ending(count: number, verb: 'complete' | 'fail', length: number): Promise<number> {
    let running = 0;
    for (let left = count; left > 0;) {
      const slots = new Map([['Work', left]]);
      const claims = await store.claim({
        worker: 'host-1-12345678',
        leaseMs: 3_600_000,
        limit: Math.min(left, 50),
        slots,
      });
      left -= claims.length;
      if (left === 0) running = await used();
      const held = claims.map(({ job, fence }) => ({ id: job.id, name: 'Work', fence }));
      const error = { code: 'E', message: 'm'.repeat(500) };
      await store.settle(
        held.map((one) => (verb === 'fail' ? { ...one, verb, error } : { ...one, verb, result: text(length) })),
      );
    }
    return running;
  }

  it.each(SIZES)('of Redis, payloads and results of %s bytes', async (length, count) => {
    const empty = await used();
    await submitted(count, length);
    await expectFormula('Redis', 'waiting', ((await used()) - empty) / count, length);
    await ending(count, 'complete', length);
    await expectFormula('Redis', 'completed', ((await used()) - empty) / count, length);
  });

  it('of Redis, jobs in progress, failed jobs and idempotency keys', async () => {
    const [length, count] = [1_000, 50];
    const empty = await used();
    await submitted(count, length);
    const running = await ending(count, 'fail', length);
    await expectFormula('Redis', 'in progress', (running - empty) / count, length);
    await expectFormula('Redis', 'failed', ((await used()) - empty) / count, length + 500 + 600); // the error, and the attempt
    const unkeyed = await usedBy(2_000, false);
    await expectFormula('Redis', 'idempotency key', ((await usedBy(2_000, true)) - unkeyed) / 2_000, 0);
  });

  it('of the memory store, which counts the same', async () => {
    const args = ['--expose-gc', SCRIPT, LIBRARY, JSON.stringify(SIZES)];
    const { stdout } = await run(process.execPath, args);
    const measured = JSON.parse(stdout) as { length: number; waiting: number; counted: number; finished: number }[];
    for (const { length, waiting, counted, finished } of measured) {
      await expectFormula('memory', 'waiting', waiting, length);
      await expectFormula('memory', 'completed', finished, length);
      expect(counted).toBeGreaterThan(0.8 * waiting);
      expect(counted).toBeLessThan(1.25 * waiting);
    }
  });
});
