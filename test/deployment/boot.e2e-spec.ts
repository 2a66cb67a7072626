import { join } from 'node:path';
import { type PostgresServer, startPostgresServer } from '@app/postgres-server';
import { freePort } from '@app/redis-server';
import { eventually } from 'nestjs-async-endpoints/testing';
import { parse } from 'yaml';
import { AppProcess } from '../app-process.js';
import { DemoClient } from '../demo/demo-client.js';
import { temporaryFolder } from '../temporary-folder.js';
import { type DeployedRedis, startDeployedRedis } from './deployed-redis.js';
import { copyOfK8s, PASSWORD, read, writeWithFolders } from './files.js';
import { build, KUSTOMIZE } from './manifests.js';
import { environmentOf, mountedFiles, workloadsOf } from './workloads.js';

/** A process as it is deployed: its variables, and the files that they name. */
interface Deployed {
  readonly app: 'api' | 'worker';
  readonly env: Readonly<Record<string, string>>;
  readonly files: ReadonlyMap<string, string>;
  readonly probes: readonly string[];
}

let redis: DeployedRedis;
/** Of the processes of each test. They wait for 5 s before they exit, as deployed, while the next test begins. */
const exits: Promise<{ test: string | undefined; codes: (number | null)[] }>[] = [];

beforeAll(async () => {
  redis = await startDeployedRedis();
});

afterAll(async () => {
  const failed = (await Promise.all(exits)).filter(({ codes }) => codes.some((code) => code !== 0));
  await redis.stop();
  if (failed.length > 0) throw new Error(`Not all have exited with 0: ${JSON.stringify(failed)}`);
});

it('Redis starts with an append-only file and without eviction', async () => {
  const [memory, persistence] = await redis.asked('jobs', (client) =>
    Promise.all([client.info('memory'), client.info('persistence')]),
  );
  expect(memory).toContain('maxmemory_policy:noeviction');
  expect(persistence).toContain('aof_enabled:1');
});

describe.each(['development', 'production', 'managed-redis', 'blue-green'])('The pods of %s', (overlay) => {
  it('boot with the mounted files, answer their probes, and run a job', async (test) => {
    if (!KUSTOMIZE) test.skip('there is no kubectl and no kustomize here');
    await seeThatTheyWork(podsOf(overlay));
  });
});

it('The pods of production boot while Redis is unreachable: they are alive, and not ready', async (test) => {
  if (!KUSTOMIZE) test.skip('there is no kubectl and no kustomize here');
  const started = await start(podsOf('production'), { REDIS_URL: 'redis://127.0.0.1:1' });
  expect(started.map(({ app }) => app)).toEqual(['api', 'worker']);
  for (const { inside, probes } of started) {
    expect(probes).toContain('/health/live');
    expect((await inside.get('/health/live')).status).toBe(200);
    expect((await inside.get('/health/ready')).status).toBe(503);
  }
});

describe('On PostgreSQL', () => {
  let postgres: PostgresServer;

  beforeEach(async () => {
    postgres = await startPostgresServer();
  });
  afterEach(() => postgres.stop());

  it('the pods of managed-postgres boot with the mounted files, answer their probes, and run a job', async (test) => {
    if (!KUSTOMIZE) test.skip('there is no kubectl and no kustomize here');
    await seeThatTheyWork(podsOf('managed-postgres'), { REDIS_URL: '', POSTGRES_URL: postgres.url });
  });

  it('the containers of compose.postgres.yaml boot while an empty server is down, and run a job when it is up', async () => {
    await postgres.crash();
    const others = { REDIS_URL: '', POSTGRES_URL: postgres.url };
    await seeThatTheyWork(containersOf('compose.postgres.yaml'), others, async ({ inside }) => {
      expect((await inside.get('/health/live')).status).toBe(200);
      expect((await inside.get('/health/ready')).status).toBe(503);
      await postgres.restart();
    });
  });
});

it('The containers of compose.production.yaml boot with the mounted files, and run a job', async () => {
  await seeThatTheyWork(containersOf('compose.production.yaml'));
});

type Started = Awaited<ReturnType<typeof start>>[number];

/** @param booted called with one of them when all have booted */
async function seeThatTheyWork(
  deployed: readonly Deployed[],
  others: Readonly<Record<string, string>> = {},
  booted: (one: Started) => Promise<void> = async () => {},
): Promise<void> {
  expect(deployed.map(({ app }) => app)).toEqual(['api', 'worker']);
  const started = await start(deployed, others);
  await booted(started[0] as Started);
  for (const { inside, probes } of started) {
    await eventually(async () => (await inside.get('/health/ready')).status === 200, 30_000);
    for (const path of probes) expect([path, (await inside.get(path)).status]).toEqual([path, 200]);
  }
  const [{ process: api }] = started as [Started];
  const location = await api.client.submit('/api/process-data', { data: 'deployed' });
  expect((await api.client.finished(location)).status).toBe('Completed');
}

/** As processes, which end by SIGTERM after the test, with 0. `inside` speaks to the port that the probes ask. */
async function start(deployed: readonly Deployed[], others: Readonly<Record<string, string>> = {}) {
  const started = await Promise.all(
    deployed.map(async (one) => {
      const settings = { ...settingsFor(one), ...others };
      const operations = one.env['OPERATIONS_PORT'] === undefined ? undefined : await freePort();
      if (operations !== undefined) settings['OPERATIONS_PORT'] = String(operations);
      const process = await new AppProcess(one.app, settings).listening();
      const inside = operations === undefined ? process.client : new DemoClient(`http://localhost:${operations}`);
      return { ...one, process, inside };
    }),
  );
  const test = expect.getState().currentTestName;
  onTestFinished(() => {
    for (const { process } of started) process.signal('SIGTERM');
    exits.push(Promise.all(started.map(({ process }) => process.exitCode())).then((codes) => ({ test, codes })));
  });
  return started;
}

/** The files elsewhere, and Redis here; all else as it is. */
function settingsFor({ env, files }: Deployed): Record<string, string> {
  const folder = temporaryFolder();
  const moved = Object.entries(env).map(([name, value]) => {
    if (!name.endsWith('_FILE')) return [name, value];
    const content = files.get(value);
    if (content === undefined) throw new Error(`${name} names ${value}, which is not mounted`);
    return [name, writeWithFolders(join(folder, value), content)];
  });
  return { ...Object.fromEntries(moved), PORT: '0', REDIS_URL: redis.url } as Record<string, string>;
}

function podsOf(overlay: string): Deployed[] {
  const parts = overlay === 'blue-green' ? ['blue-green/live', 'blue-green/blue'] : [overlay];
  const k8s = copyOfK8s();
  const manifests = parts.flatMap((part) => build(join(k8s, 'overlays', part)));
  return workloadsOf(manifests).flatMap((workload) => {
    const { name, startupProbe, livenessProbe, readinessProbe } = workload.container;
    if (name !== 'api' && name !== 'worker') return [];
    const probes = [startupProbe, livenessProbe, readinessProbe].map((probe) => probe?.httpGet?.path ?? '');
    const files = new Map(mountedFiles(manifests, workload, workload.container));
    // Of development it is another one.
    for (const path of files.keys()) if (path.endsWith('redis-password')) files.set(path, PASSWORD);
    return [{ app: name, env: environmentOf(workload.container), files, probes }];
  });
}

function containersOf(path: string): Deployed[] {
  const { services, configs } = parse(read(path), { merge: true }) as {
    services: Record<string, { environment: Record<string, string>; configs: { source: string; target: string }[] }>;
    configs: Record<string, { file: string }>;
  };
  return (['api', 'worker'] as const).map((app) => {
    const service = services[app]!;
    const mounted = service.configs.map(({ source, target }) => [target, read(configs[source]!.file)] as const);
    const files = new Map([
      ...mounted,
      ['/run/secrets/redis_password', PASSWORD],
      ['/run/secrets/postgres_password', PASSWORD],
    ]);
    return { app, env: service.environment, files, probes: ['/health/live'] };
  });
}
