import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { totalmem } from 'node:os';
import { freePort, redisCli } from '@app/redis-server';
import type { QueueStats } from 'nestjs-async-endpoints';
import { eventually } from 'nestjs-async-endpoints/testing';
import type { AppProcess } from '../app-process.js';
import { backUp } from '../operations/backup.js';
import { System } from '../redis/system.js';
import { temporaryFolder } from '../temporary-folder.js';
import { expectData } from './dashboard.js';
import { alertRules, hasten } from './hasten.js';
import { hasPrometheus, Prometheus } from './prometheus.js';
import { SQL_ALERTS, SQL_PANELS } from './sql-series.js';

const MINUTE_MS = 600;
const SCRAPE = '1s';
/** Of a payload, which the handler turns into an array of its characters and keeps as a result. */
const LARGE = 900_000;
/** More than a process needs at rest. */
const HEADROOM = 15 * 1024 * 1024;
const SLOTS = 4;
const QUEUE_SIZE = 20;
const WAIT_MS = 90_000;

/** API, two workers, Redis, node_exporter and Prometheus, each real, and what hurts them. */
class Deployment {
  private constructor(
    readonly system: System,
    readonly api: AppProcess,
    readonly workers: readonly [AppProcess, AppProcess],
    readonly prometheus: Prometheus,
  ) {}

  static async start(): Promise<Deployment> {
    const system = await System.start(['--repl-diskless-sync-delay', '0']);
    onTestFinished(() => end(system));
    const settings = { ASYNC_WORKER_CONCURRENCY: String(SLOTS), ASYNC_REDIS_COMMAND_TIMEOUT_MS: '2000' };
    // One after the other: on a busy machine, each has its own time to boot.
    const api = await system.api({ ...settings, ASYNC_QUEUE_SIZE: String(QUEUE_SIZE), ASYNC_JOBS_TIMEOUT_MS: '2000' });
    const workers = [await system.worker(settings), await system.worker(settings)] as const;
    const backups = temporaryFolder();
    await backUp({ BACKUP_DIR: backups, REDIS_PORT: String(system.redis.port) });
    const prometheus = await Prometheus.start({
      targets: {
        'async-endpoints-api': [hostOf(api)],
        'async-endpoints-worker': workers.map(hostOf),
        'redis-backup': [await serveFolder(backups)],
      },
      scrapeInterval: SCRAPE,
      alerts: await hasten(MINUTE_MS, {
        AsyncEndpointsStoreSlow: 0.1,
        AsyncEndpointsEventLoopLag: 0.02,
        AsyncEndpointsProcessMemory: await aLittleMore(workers),
      }),
    });
    return new Deployment(system, api, workers, prometheus);
  }

  async value(expression: string): Promise<number> {
    return Number((await this.prometheus.query(expression))[0]?.value[1]);
  }

  setRedis(name: string, value: string): Promise<string> {
    return redisCli('-p', String(this.system.redis.port), 'config', 'set', name, value);
  }
}

const hostOf = ({ client }: AppProcess) => new URL(client.url).host;

/** The part of its memory limit that no worker uses at rest, and each does that holds large payloads. */
async function aLittleMore(workers: readonly AppProcess[]): Promise<number> {
  const texts = await Promise.all(workers.map(async ({ client }) => (await client.get('/metrics')).body as string));
  const used = texts.map((text) => Number(/^process_memory_usage (\d+)/m.exec(text)?.[1]));
  return (Math.max(...used) + HEADROOM) / Math.min(process.constrainedMemory() || Infinity, totalmem());
}

/** As `backup-age` of compose.monitoring.yaml does; answers where. */
async function serveFolder(folder: string): Promise<string> {
  const host = `127.0.0.1:${await freePort()}`;
  const args = ['--collector.disable-defaults', '--collector.textfile', `--collector.textfile.directory=${folder}`];
  const server: ChildProcess = spawn('prometheus-node-exporter', [...args, `--web.listen-address=${host}`], {
    stdio: 'ignore',
  });
  onTestFinished(async () => {
    server.kill();
    if (server.exitCode === null) await once(server, 'exit');
  });
  return host;
}

async function end(system: System): Promise<void> {
  await system.redis.crash();
  await system.redis.restart();
  await eventually(() => system.store.ping().then(() => true));
  await system.reset();
  await system.stop();
}

/** Redis that answers late, handlers that fail, a job that blocks the event loop and needs memory: until all alerts are there. */
async function slowStoreAndBadJobs(deployment: Deployment): Promise<void> {
  const { system, api } = deployment;
  await system.submit('Orphan', {});
  await system.store.pause(['Orphan'], null); // a panel shows it
  const enough = new AbortController();
  const hurt = async () => {
    while (!enough.signal.aborted) {
      system.redis.pause();
      await sleep(150); // that is how slow it is
      system.redis.resume();
      await api.client.submitCsv('a,b\n1,2,3\n');
      await system.submit('ProcessData', { data: 'x'.repeat(LARGE), processingPriority: 3 }, SLOTS);
      await eventually(async () => (await system.store.stats()).every(isOver), WAIT_MS);
    }
  };
  const hurting = hurt();
  try {
    await deployment.prometheus.fires(
      'NoHandler',
      'Failures',
      'StoreSlow',
      'EventLoopLag',
      'ProcessMemory',
      'BackupOld',
    );
  } finally {
    enough.abort();
    await hurting;
  }
}

/** More jobs than slots, more than may wait, and a Redis with little memory left. */
async function fullQueue(deployment: Deployment): Promise<void> {
  const { system, api, workers } = deployment;
  const sleepers = await system.submit('Sleep', { durationMs: 600_000 }, SLOTS * workers.length);
  await system.until(sleepers, 'InProgress');
  for (let status = 202; status !== 503;) {
    ({ status } = await api.client.postJson('/api/demo/sleep', { durationMs: 600_000 }));
  }
  const used = await deployment.value('max(asyncendpoints_store_memory_used)');
  await deployment.setRedis('maxmemory', String(Math.round(used * 1.1)));
  await deployment.prometheus.fires('QueueFilling', 'Refused', 'QueueOld', 'SlotsFull', 'StoreMemory');
}

/** A worker that stands still for longer than its lease; then both killed, one job still in their hands. */
async function vanishingWorkers(deployment: Deployment): Promise<void> {
  const { system, workers } = deployment;
  workers[1].signal('SIGSTOP');
  await eventually(async () => (await deployment.value('sum(asyncendpoints_jobs_recovered_total)')) >= SLOTS, WAIT_MS);
  workers[1].signal('SIGCONT');
  await deployment.prometheus.fires('WorkersVanish', 'ClaimsLost');
  await Promise.all(workers.map((worker) => worker.kill()));
  await system.submit('ProcessData', { data: 'x', processingPriority: 3 });
  const slots = new Map([['ProcessData', 1]]);
  expect(await system.store.claim({ worker: 'killed', leaseMs: 1, limit: 1, slots })).toHaveLength(1);
  await deployment.prometheus.fires('ProcessDown', 'NoWorkers', 'JobStuck');
}

function isOver({ name, status }: QueueStats): boolean {
  return name === 'Orphan' || ['Completed', 'Failed'].includes(status);
}

// A minute of real outages: a command of its own, `npm run test:alerts`. The rules are tried in every run by promtool.
describe.runIf(process.env.SOAK === '1')('Alerts and dashboard', () => {
  it('fire each alert when its cause occurs, and show data in each panel', async (test) => {
    if (!hasPrometheus()) test.skip('there is no prometheus and prometheus-node-exporter here');
    const deployment = await Deployment.start();
    await eventually(async () => (await deployment.value('sum(up)')) === 4, WAIT_MS);
    expect(await deployment.prometheus.fired()).toEqual([]);

    await slowStoreAndBadJobs(deployment);
    await fullQueue(deployment);
    await expectData(deployment.prometheus, ({ title }) => !SQL_PANELS.includes(title));
    await deployment.setRedis('maxmemory', '0');
    await vanishingWorkers(deployment);
    await deployment.system.redis.crash();
    await deployment.prometheus.fires('StoreDown', 'StoreErrors');
    await deployment.api.kill();
    await deployment.prometheus.fires('MetricsMissing');

    const names = (await alertRules()).map(({ alert }) => alert).filter((name) => !SQL_ALERTS.includes(name));
    expect(await deployment.prometheus.fired()).toEqual(names.toSorted());
  }, 240_000);
});
