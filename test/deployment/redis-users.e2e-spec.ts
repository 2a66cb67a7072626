import { spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { IProbe } from 'kubernetes-models/v1';
import { eventually } from 'nestjs-async-endpoints/testing';
import { accessRules, RedisJobStore } from 'nestjs-async-endpoints/redis';
import { AppProcess } from '../app-process.js';
import { backUp } from '../operations/backup.js';
import { temporaryFolder } from '../temporary-folder.js';
import { type DeployedRedis, passwordFiles, START_REDIS, startDeployedRedis, type User } from './deployed-redis.js';
import { PASSWORD, PASSWORDS, read, ROOT } from './files.js';
import { manifestsIn } from './manifests.js';
import { type Workload, workloadsOf } from './workloads.js';

describe('The users of Redis', () => {
  const script = read('k8s/redis/start-redis.sh');
  let redis: DeployedRedis;
  const refused = async (user: User, command: string) => {
    const [name = '', ...args] = command.split(' ');
    await expect(redis.asked(user, (client) => client.call(name, ...args))).rejects.toThrow(/^NOPERM /);
  };

  beforeAll(async () => {
    redis = await startDeployedRedis();
  });

  afterAll(() => redis.stop());

  it('have the rules of accessRules()', () => {
    const rules = accessRules();
    expect(script).toContain(`JOBS='${rules.join(' ')}'`);
    const forAudits = accessRules({ audit: true }).filter((rule) => !rules.includes(rule));
    expect(/^AUDITS='(.*)'$/m.exec(script)?.[1]?.split(' ').toSorted()).toEqual(forAudits.toSorted());
    expect(read('docs/secure.md')).toContain(/^AUDITS='(.*)'$/m.exec(script)![1]);
    expect(read('docs/backup.md')).toContain(/^BACKUP='resetkeys resetchannels -@all (.*)'$/m.exec(script)![1]);
  });

  it.each(['PING', 'INFO', 'GET {ae:0}:jobs', 'CONFIG GET *', 'FLUSHALL'])(
    'do not include the default user, which is refused %s',
    (command) => {
      const args = ['-p', new URL(redis.url).port, ...command.split(' ')];
      expect(spawnSync('redis-cli', args, { encoding: 'utf8' }).stdout).toMatch(/^NOAUTH /);
    },
  );

  it.each(['FLUSHALL', 'CONFIG SET maxmemory 1', 'SCRIPT FLUSH', 'SCAN 0', 'SYNC', 'ACL LIST'])(
    'do not permit API and workers to run %s',
    (command) => refused('jobs', command),
  );

  it.each(['FLUSHALL', 'GET {ae:0}:jobs', 'CONFIG GET *', 'BGSAVE', 'PUBLISH ae:0:changes x'])(
    'do not permit backups to run %s',
    (command) => refused('backup', command),
  );

  it('permit backups to take a snapshot, and operators to run an audit', async () => {
    const { port } = new URL(redis.url);
    const login = { REDIS_USERNAME: 'backup', REDIS_PASSWORD_FILE: passwordFiles().REDIS_BACKUP_PASSWORD_FILE };
    expect(await backUp({ BACKUP_DIR: temporaryFolder(), REDIS_PORT: port, ...login })).toMatchObject({ code: 0 });
    const operator = { username: 'operator', password: PASSWORDS['redis-operator-password'] };
    const store = new RedisJobStore({ url: redis.url, redis: operator });
    await store.open();
    onTestFinished(() => store.close());
    expect(await store.audit()).toEqual([]);
  });

  it.each([
    [{ REDIS_BACKUP_PASSWORD_FILE: '/nowhere' }, '/nowhere'],
    [{ REDIS_PASSWORD_FILE: '/dev/null' }, '/dev/null is empty; expected the password of jobs'],
    [
      { REDIS_OPERATOR_PASSWORD_FILE: START_REDIS },
      'has more than two lines; expected one or two passwords of operator',
    ],
  ])('require passwords: with %j Redis does not start', (files, said) => {
    const { status, stderr } = spawnSync('sh', [START_REDIS], {
      encoding: 'utf8',
      env: { ...process.env, ...passwordFiles(), ...files },
    });
    expect([status, stderr]).toEqual([1, expect.stringContaining(said)]);
  });

  it('have a generated password for changing passwords, without other permissions', async () => {
    const { port } = new URL(redis.url);
    const password = readFileSync(join(redis.runFolder, 'admin-password'), 'utf8').trim();
    expect(password).toMatch(/^[0-9a-f]{64}$/);
    expect(statSync(join(redis.runFolder, 'admin-password')).mode & 0o077).toBe(0);
    const env = { ...process.env, REDISCLI_AUTH: password };
    for (const command of ['PING', 'GET {ae:0}:jobs', 'CONFIG GET *', 'ACL LIST', 'ACL GETUSER jobs']) {
      const args = ['-p', port, '--user', 'admin', ...command.split(' ')];
      expect(spawnSync('redis-cli', args, { encoding: 'utf8', env }).stdout).toMatch(/^NOPERM /);
    }
  });
});

describe('The rotation of a password', () => {
  it('loses no job and refuses no request while APIs and workers change to the new password', async () => {
    const redis = await startDeployedRedis();
    onTestFinished(async () => void (await redis.stop()));
    const mounted = redis.files.REDIS_PASSWORD_FILE;
    const running: AppProcess[] = [];
    const load = new AbortController();
    onTestFinished(async () => {
      load.abort();
      await Promise.all(running.map((process) => process.kill()));
    });
    const start = async (app: 'api' | 'worker') => {
      const env = { REDIS_URL: redis.url, ASYNC_REDIS_USERNAME: 'jobs', ASYNC_REDIS_PASSWORD_FILE: mounted };
      const process = new AppProcess(app, { ...env, ASYNC_ROLE: app });
      running.push(process);
      return process.listening();
    };
    let api = await start('api');
    let worker = await start('worker');
    const locations: string[] = [];
    const clients = (async () => {
      while (!load.signal.aborted) {
        locations.push(await api.client.submit('/api/process-data', { data: 'text' }));
        await setTimeout(50); // leaves the processor to the processes that start
      }
    })();
    const more = () => {
      const submitted = locations.length;
      return eventually(() => locations.length > submitted + 10);
    };
    await more();

    const [append, swap, remove] = editsOfTheGuide(mounted);
    append();
    expect(redis.setPasswords()).toBe('jobs 2\nbackup 1\noperator 1\n');
    swap();
    const [newPassword] = readFileSync(mounted, 'utf8').split('\n') as [string];
    expect(newPassword).toMatch(/^[0-9a-f]{64}$/);
    const [oldApi, oldWorker] = [api, worker];
    worker = await start('worker');
    api = await start('api');
    for (const old of [oldApi, oldWorker]) old.signal('SIGTERM');
    expect(await Promise.all([oldApi.exitCode(), oldWorker.exitCode()])).toEqual([0, 0]);
    remove();
    expect(redis.setPasswords()).toBe('jobs 1\nbackup 1\noperator 1\n');
    await more();

    load.abort();
    await clients;
    for (const location of locations) expect((await api.client.finished(location)).status).toBe('Completed');
    const ping = (client: Redis) => client.ping();
    await expect(redis.asked('jobs', ping)).rejects.toThrow('Connection is closed');
    expect(await redis.asked('jobs', ping, newPassword)).toBe('PONG');
    expect(await redis.asked('backup', ping)).toBe('PONG');
  }, 120_000);

  it('changes no password when a file is invalid, and names the file', async () => {
    const redis = await startDeployedRedis();
    onTestFinished(async () => void (await redis.stop()));
    writeFileSync(redis.files.REDIS_PASSWORD_FILE, 'another\n');
    writeFileSync(redis.files.REDIS_BACKUP_PASSWORD_FILE, '\n');
    expect(redis.setPasswords()).toBe(
      `start-redis: ${redis.files.REDIS_BACKUP_PASSWORD_FILE} is empty; expected the password of backup\n`,
    );
    expect(await redis.asked('jobs', (client) => client.ping())).toBe('PONG');
  });
});

/** What docs/deploy-kubernetes.md does to the file of a password, one step after the other. */
function editsOfTheGuide(file: string): [append: () => void, swap: () => void, remove: () => void] {
  const steps = [...read('docs/deploy-kubernetes.md').matchAll(/^ {3}(\S.* secrets\/redis-password.*)$/gm)];
  expect(steps).toHaveLength(3);
  return steps.map(([, command = '']) => () => {
    const { status, stderr } = spawnSync('sh', ['-c', command], { cwd: join(file, '../..'), encoding: 'utf8' });
    expect({ command, status, stderr }).toEqual({ command, status: 0, stderr: '' });
  }) as ReturnType<typeof editsOfTheGuide>;
}

describe('The probes of Redis in k8s', () => {
  it('readiness needs a login; liveness needs only a reply', async () => {
    const redis = await startDeployedRedis();
    onTestFinished(async () => void (await redis.stop()));
    const { port } = new URL(redis.url);
    const [workload] = workloadsOf(manifestsIn(join(ROOT, 'k8s/redis')).map(([, manifest]) => manifest)) as [Workload];
    const { livenessProbe, readinessProbe, startupProbe } = workload.container;
    const statusOf = (probe: IProbe | undefined, at = port) => {
      const [program = '', ...args] = (probe?.exec?.command ?? []).map((word) =>
        word.replace(/redis-cli -e/, `redis-cli -p ${at} -e`),
      );
      const where = program === 'redis-cli' ? ['-p', at] : [];
      return spawnSync(program, [...where, ...args], { env: { ...process.env, ...redis.files } }).status;
    };
    const statuses = (at?: string) => [startupProbe, readinessProbe, livenessProbe].map((probe) => statusOf(probe, at));
    expect(statuses()).toEqual([0, 0, 0]);
    writeFileSync(redis.files.REDIS_PASSWORD_FILE, `${PASSWORD}\nthe next one\n`);
    expect(statuses()).toEqual([0, 0, 0]);
    writeFileSync(redis.files.REDIS_PASSWORD_FILE, 'a wrong one\n');
    expect(statuses()).toEqual([1, 1, 0]);
    expect(statuses('1')).toEqual([1, 1, 1]);
  });
});
