import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from '@app/redis-server';
import { Redis } from 'ioredis';
import { eventually } from 'nestjs-async-endpoints/testing';
import { parse } from 'yaml';
import { AppProcess } from '../app-process.js';
import { temporaryFolder } from '../temporary-folder.js';
import { copyOfK8s, PASSWORD, read, ROOT, writeWithFolders } from './files.js';
import { build, KUSTOMIZE } from './manifests.js';
import { environmentOf, mountedFiles, workloadsOf } from './workloads.js';

/** A process as it is deployed: its variables, and the files that they name. */
interface Deployed {
  readonly app: 'api' | 'worker';
  readonly env: Readonly<Record<string, string>>;
  readonly files: ReadonlyMap<string, string>;
  readonly probes: readonly string[];
}

let redisUrl: string;
let stopRedis: () => Promise<unknown[]>;

/** Redis by the script that compose and Kubernetes run, with the configuration that they mount. */
beforeAll(async () => {
  const folder = temporaryFolder();
  const port = await freePort();
  const conf = read('k8s/redis/redis.conf').replace(/^dir .*$/m, `dir ${folder}`);
  const child = spawn('sh', [join(ROOT, 'k8s/redis/start-redis.sh')], {
    stdio: 'ignore',
    env: {
      ...process.env,
      REDIS_CONFIG_FILE: writeWithFolders(join(folder, 'redis.conf'), `${conf}\nport ${port}\nbind 127.0.0.1\n`),
      REDIS_PASSWORD_FILE: writeWithFolders(join(folder, 'password'), `${PASSWORD}\n`),
    },
  });
  const ended = once(child, 'exit');
  process.once('exit', () => child.kill('SIGKILL'));
  redisUrl = `redis://127.0.0.1:${port}`;
  await eventually(() => asked((redis) => redis.ping()));
  stopRedis = () => {
    child.kill('SIGTERM');
    return ended;
  };
});

afterAll(() => stopRedis());

it('Redis is started with its password, its append-only file and no eviction (S-69)', async () => {
  const stranger = connect(Number(new URL(redisUrl).port), '127.0.0.1');
  stranger.write('PING\r\n');
  const [answer] = (await once(stranger, 'data')) as [Buffer];
  stranger.destroy();
  expect(answer.toString()).toMatch(/^-NOAUTH/);

  const asks = (name: string) => asked((redis) => redis.config('GET', name));
  expect(await asks('appendonly')).toEqual(['appendonly', 'yes']);
  expect(await asks('maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
});

describe.each(['development', 'production', 'managed-redis', 'blue-green'])('The pods of %s', (overlay) => {
  it('boot with what is mounted in them, answer their probes, and do a job (S-64 to S-68, S-72 to S-77)', async (test) => {
    if (!KUSTOMIZE) test.skip('there is no kubectl and no kustomize here');
    await seeThatTheyWork(podsOf(overlay));
  });
});

it('The containers of compose.production.yaml boot with what is mounted in them, and do a job (S-52)', async () => {
  await seeThatTheyWork(containersOf('compose.production.yaml'));
});

async function seeThatTheyWork(deployed: readonly Deployed[]): Promise<void> {
  expect(deployed.map(({ app }) => app)).toEqual(['api', 'worker']);
  const started = await Promise.all(
    deployed.map(async (one) => ({ ...one, process: await new AppProcess(one.app, settingsFor(one)).listening() })),
  );
  onTestFinished(async () => {
    for (const { process } of started) process.signal('SIGTERM');
    expect(await Promise.all(started.map(({ process }) => process.exitCode()))).toEqual([0, 0]);
  });
  for (const { process, probes } of started) {
    await eventually(async () => (await process.client.get('/health/ready')).status === 200);
    for (const path of probes) expect([path, (await process.client.get(path)).status]).toEqual([path, 200]);
  }
  const [{ process: api }] = started as [(typeof started)[number]];
  const location = await api.client.submit('/api/process-data', { data: 'deployed' });
  expect((await api.client.finished(location)).status).toBe('Completed');
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
  return { ...Object.fromEntries(moved), PORT: '0', REDIS_URL: redisUrl } as Record<string, string>;
}

function podsOf(overlay: string): Deployed[] {
  const parts = overlay === 'blue-green' ? ['blue-green/live', 'blue-green/blue'] : [overlay];
  const k8s = copyOfK8s();
  const manifests = parts.flatMap((part) => build(join(k8s, 'overlays', part)));
  return workloadsOf(manifests).flatMap((workload) => {
    const { name, startupProbe, livenessProbe, readinessProbe } = workload.container;
    if (name !== 'api' && name !== 'worker') return [];
    const probes = [startupProbe, livenessProbe, readinessProbe].map((probe) => probe?.httpGet?.path ?? '');
    const files = new Map(mountedFiles(manifests, workload));
    // Of development it is another one.
    for (const path of files.keys()) if (path.endsWith('redis-password')) files.set(path, PASSWORD);
    return [{ app: name, env: environmentOf(workload), files, probes }];
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
    const files = new Map([...mounted, ['/run/secrets/redis_password', PASSWORD]]);
    return { app, env: service.environment, files, probes: ['/health/live'] };
  });
}

async function asked<T>(ask: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(redisUrl, {
    password: PASSWORD,
    lazyConnect: true,
    retryStrategy: () => null,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await ask(redis);
  } finally {
    redis.disconnect();
  }
}
