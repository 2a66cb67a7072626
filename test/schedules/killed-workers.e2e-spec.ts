import { startPostgresServer } from '@app/postgres-server';
import { startRedisServer } from '@app/redis-server';
import { Test } from '@nestjs/testing';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AsyncEndpointsModule, JobManager, type JobStore } from 'nestjs-async-endpoints';
import { PostgresJobStore } from 'nestjs-async-endpoints/postgres';
import { RedisJobStore } from 'nestjs-async-endpoints/redis';
import { SqliteJobStore } from 'nestjs-async-endpoints/sqlite';
import { eventually } from 'nestjs-async-endpoints/testing';
import { figure, isSoak } from '../redis/system.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const [WORKERS, SCHEDULES, INSTANTS] = isSoak ? [8, 25, 1_000] : [3, 20, 120];

interface Place {
  readonly store: JobStore;
  /** For a process: the kind of the store, and its options. */
  readonly args: readonly [kind: string, options: string];
  stop(): Promise<void>;
}

const PLACES: Readonly<Record<string, () => Promise<Place>>> = {
  async redis() {
    const server = await startRedisServer();
    const options = { url: server.url };
    return { store: new RedisJobStore(options), args: ['RedisJobStore', JSON.stringify(options)], stop: server.stop };
  },
  async 'redis in three partitions'() {
    const server = await startRedisServer();
    const options = { url: server.url, partitions: 3, partitionSecret: 'sixteen characters' };
    return { store: new RedisJobStore(options), args: ['RedisJobStore', JSON.stringify(options)], stop: server.stop };
  },
  async sqlite() {
    const folder = await mkdtemp(join(tmpdir(), 'schedules-'));
    const options = { path: join(folder, 'jobs.db'), synchronous: 'NORMAL' } as const;
    const stop = () => rm(folder, { recursive: true, force: true });
    return { store: new SqliteJobStore(options), args: ['SqliteJobStore', JSON.stringify(options)], stop };
  },
  async postgres() {
    const server = await startPostgresServer();
    const options = { url: server.url };
    return {
      store: new PostgresJobStore(options),
      args: ['PostgresJobStore', JSON.stringify(options)],
      stop: server.stop,
    };
  },
};

function startWorker(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['test/schedules/tick-worker.mjs', ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function kill(worker: ChildProcess): Promise<void> {
  const ended = worker.exitCode === null && worker.signalCode === null ? once(worker, 'exit') : null;
  worker.kill('SIGKILL');
  await ended;
}

interface Tick {
  readonly name: string;
  readonly at: number;
}

/** What the jobs that completed were made for. */
async function completed(jobs: JobManager): Promise<Tick[]> {
  const ticks: Tick[] = [];
  for (let cursor: string | undefined | null; cursor !== null;) {
    const page = await jobs.list({ status: 'Completed' }, { limit: 1_000, cursor });
    ticks.push(...page.jobs.map(({ result }) => result as Tick));
    cursor = page.cursor;
  }
  return ticks;
}

describe.each(Object.entries(PLACES))('Workers that are killed repeatedly, on %s', (kind, open) => {
  it('fire each schedule once at each instant', { timeout: 300_000 }, async () => {
    const place = await open();
    const workers: ChildProcess[] = [];
    const imports = [AsyncEndpointsModule.forRoot({ store: place.store, role: 'api' })];
    const module = await Test.createTestingModule({ imports }).compile();
    onTestFinished(async () => {
      await Promise.all(workers.map(kill));
      await module.close();
      await place.stop();
    });
    await module.init();
    const jobs = module.get(JobManager);
    const names = Array.from({ length: SCHEDULES }, (_, n) => `tick-${n}`);
    for (const name of names)
      await jobs.schedules.upsert(name, 'Tick', { everyMs: 1_000, overlap: 'allow', missed: 'all' });
    for (let n = 0; n < WORKERS; n++) workers.push(startWorker(place.args));
    const total = async () => (await jobs.stats()).reduce((sum, { count }) => sum + count, 0);
    let kills = 0;
    for (let made = 0; made < INSTANTS; kills++) {
      const before = made;
      // Between two kills somebody fires: on a slow machine a worker takes its time to start.
      made = await eventually(async () => {
        const now = await total();
        return now > before ? now : undefined;
      }, 60_000);
      const victim = workers.splice(Math.floor(Math.random() * workers.length), 1);
      workers.push(startWorker(place.args));
      await Promise.all(victim.map(kill));
    }
    for (const name of names) await jobs.schedules.pause(name);
    const made = await eventually(async () => {
      const ticks = await completed(jobs);
      return ticks.length === (await total()) ? ticks : undefined;
    }, 60_000);
    expect(new Set(made.map(({ name, at }) => `${name} ${at}`)).size).toBe(made.length);
    for (const name of names) {
      const instants = made
        .filter((tick) => tick.name === name)
        .map(({ at }) => at)
        .toSorted((a, b) => a - b);
      expect(instants).toEqual(instants.map((_, n) => (instants[0] as number) + 1_000 * n));
    }
    figure(
      `${kind}: ${made.length} instants of ${SCHEDULES} schedules, ${WORKERS} workers, ${kills} SIGKILLs: each once, none left out`,
    );
  });
});
