import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import type { NewJob } from 'nestjs-async-endpoints/store';
import { aJob, eventually } from 'nestjs-async-endpoints/testing';
import { manifestsIn } from '../deployment/manifests.js';
import { environmentOf, workloadsOf } from '../deployment/workloads.js';
import { System } from '../redis/system.js';
import { temporaryFolder } from '../temporary-folder.js';
import { backUp, type Outcome, restore, SCRIPTS } from './backup.js';

const run = promisify(execFile);
const MINUTE = 60_000;

/** A kind of backup, and how the server that it is restored to is started. */
const KINDS = [
  { kind: 'snapshot', server: ['--appendonly', 'yes'], appendonly: 'yes' },
  { kind: 'snapshot', server: ['--appendonly', 'no'], appendonly: 'no' },
  { kind: 'rdb', server: ['--appendonly', 'no'], appendonly: 'no' },
  { kind: 'aof', server: ['--appendonly', 'yes'], appendonly: 'yes' },
] as const;

let system: System;
let backups: string;
let env: Record<string, string>;

async function begin(server: readonly string[]): Promise<Redis> {
  // It would wait some seconds for more replicas to send the snapshot to.
  system = await System.start(['--repl-diskless-sync-delay', '0', ...server]);
  backups = temporaryFolder();
  env = { BACKUP_DIR: backups, REDIS_PORT: String(system.redis.port), REDIS_DATA_DIR: system.redis.folder };
  const raw = new Redis(system.redis.url).on('error', () => {}); // it will be lost
  onTestFinished(async () => {
    raw.disconnect();
    await system.reset().catch(() => undefined);
    await system.stop();
  });
  return raw;
}

function processData(text: string): NewJob {
  return aJob({
    id: randomUUID(),
    name: 'ProcessData',
    payload: JSON.stringify({ request: { data: text } }),
    delayMs: 0,
  });
}

/** Jobs in every status, by status. */
async function fill(): Promise<Record<'waiting' | 'running' | 'failed' | 'done', string[]>> {
  const { store } = system;
  const jobs = Array.from({ length: 400 }, (_, at) => processData(`text ${at}`));
  await store.submit(jobs, { queueLimit: 1_000 });
  const slots = new Map([['ProcessData', 100]]);
  const take = async (leaseMs: number) => store.claim({ worker: 'gone', leaseMs, limit: 100, slots });
  const settle = (verb: 'complete' | 'fail') => async (claims: Awaited<ReturnType<typeof take>>) => {
    const ends = claims.map(({ job: { id, name }, fence }) => {
      const claim = { id, name, fence };
      return verb === 'fail'
        ? { verb, ...claim, error: { code: 'X', message: 'x' } }
        : { verb, ...claim, result: '{}' };
    });
    await store.settle(ends);
    return claims.map(({ job }) => job.id);
  };
  const done = await settle('complete')(await take(60_000));
  const failed = await settle('fail')(await take(60_000));
  const running = (await take(1_000)).map(({ job }) => job.id);
  const others = new Set([...done, ...failed, ...running]);
  return { done, failed, running, waiting: jobs.map(({ id }) => id).filter((id) => !others.has(id)) };
}

/** The machine is gone, and its disk with it. */
async function lose(): Promise<void> {
  await system.redis.crash();
  await rm(system.redis.folder, { recursive: true });
  await mkdir(system.redis.folder);
}

function fileOf({ code, stdout, stderr }: Outcome): string {
  expect([code, stderr]).toEqual([0, '']);
  return stdout.trim();
}

describe('A Redis that is restored from a backup', () => {
  it.each(KINDS)(
    '$kind, appendonly $appendonly: has every job without deviations, and workers finish them',
    async ({ kind, server, appendonly }) => {
      await begin(server);
      const ids = await fill();
      const all = Object.values(ids).flat();
      const before = await system.jobs(all);
      const file = fileOf(await backUp({ ...env, BACKUP_KIND: kind }));
      expect(file).toMatch(kind === 'aof' ? /\/redis_backup_\d{8}_\d{6}\.aof\.tar\.gz$/ : /\d{6}\.rdb$/);

      await lose();
      const restored = await restore({ ...env, REDIS_APPENDONLY: appendonly }, file);
      expect(restored).toMatchObject({ code: 0, stderr: '' });
      await system.redis.restart();
      await eventually(() => system.store.ping().then(() => true));
      expect(await system.jobs(all)).toEqual(before);
      expect(await system.store.audit()).toEqual([]);

      await system.worker();
      await system.until([...ids.waiting, ...ids.running, ...ids.done], 'Completed');
      await system.until(ids.failed, 'Failed');
      expect(await system.store.audit()).toEqual([]);
      // And the next crash loses nothing either: it keeps what was restored, and what came after.
      const [late] = (await system.submit('ProcessData', { data: 'late' })) as [string];
      await system.until([late], 'Completed');
      if (appendonly === 'no') return;
      await system.redis.crash();
      await system.redis.restart();
      await eventually(() => system.store.ping().then(() => true));
      await system.until([...all.filter((id) => !ids.failed.includes(id)), late], 'Completed');
    },
    MINUTE,
  );

  it('aof: is complete under load and during rewrites', async () => {
    const raw = await begin(['--appendonly', 'yes']);
    const load = (async () => {
      for (let round = 0; round < 100; round++) {
        const jobs = Array.from({ length: 50 }, () => processData('x'.repeat(2_000)));
        await system.store.submit(jobs, { queueLimit: 100_000 });
        if (round % 20 === 0) await raw.bgrewriteaof().catch(() => undefined);
      }
    })();
    const outcome = await backUp({ ...env, BACKUP_KIND: 'aof' });
    await load;
    const file = fileOf(outcome);
    await lose();
    expect(await restore(env, file)).toMatchObject({ code: 0, stderr: '' });
    await system.redis.restart();
    await eventually(() => system.store.ping().then(() => true));
    expect(await system.store.audit()).toEqual([]);
    expect((await system.store.stats())[0]?.count).toBeGreaterThan(0);
  });
});

describe('k8s/components/backup/redis-backup.sh', () => {
  it('keeps the newest backups, and only the time of the last one beside them', async () => {
    await begin([]);
    await writeFile(join(backups, 'notes.txt'), 'not ours');
    const files: string[] = [];
    for (let round = 0; round < 3; round++) files.push(fileOf(await backUp({ ...env, BACKUP_KEEP: '2' })));
    const names = files.slice(1).map((file) => file.split('/').at(-1) as string);
    expect((await readdir(backups)).toSorted()).toEqual(['notes.txt', 'redis_backup.prom', ...names].toSorted());
    const metrics = await readFile(join(backups, 'redis_backup.prom'), 'utf8');
    expect(metrics).toMatch(/^redis_backup_last_success_timestamp_seconds \d{10}$/m);
  });

  it('logs in with a password from a file, and never shows it', async () => {
    const raw = await begin([]);
    await raw.call('acl', 'setuser', 'backup', 'on', '>geheim', '+ping', '+sync', '+psync', '+replconf');
    await raw.config('SET', 'requirepass', 'other');
    onTestFinished(() => void raw.config('SET', 'requirepass', ''));
    const password = join(backups, 'password');
    await writeFile(password, 'geheim\n');
    const login = { ...env, REDIS_USERNAME: 'backup', REDIS_PASSWORD_FILE: password };
    expect((await readFile(fileOf(await backUp(login)))).subarray(0, 5).toString()).toBe('REDIS');
    await writeFile(password, 'falsch');
    const refused = await backUp(login);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('WRONGPASS');
    expect(refused.stderr).not.toContain('falsch');
  });

  it('rdb: reports that the server could not save, and keeps the old backups', async () => {
    await begin([]);
    const file = fileOf(await backUp({ ...env, BACKUP_KIND: 'rdb', BACKUP_KEEP: '1' }));
    await rm(join(system.redis.folder, 'dump.rdb'));
    await mkdir(join(system.redis.folder, 'dump.rdb', 'in-the-way'), { recursive: true });
    const failed = await backUp({ ...env, BACKUP_KIND: 'rdb', BACKUP_KEEP: '1' });
    expect(failed).toMatchObject({ code: 1, stdout: '' });
    expect(failed.stderr).toContain('rdb_last_bgsave_status is err');
    expect((await readdir(backups)).toSorted()).toEqual(['redis_backup.prom', file.split('/').at(-1)]);
  });

  it('rdb: refuses the folder of another server', async () => {
    await begin([]);
    const elsewhere = temporaryFolder();
    await writeFile(join(elsewhere, 'dump.rdb'), 'old');
    const { code, stderr } = await backUp({ ...env, BACKUP_KIND: 'rdb', REDIS_DATA_DIR: elsewhere });
    expect([code, stderr]).toEqual([1, expect.stringContaining('is REDIS_DATA_DIR its folder?')]);
  });

  it.each([
    [{ BACKUP_KIND: 'all' }, 2, "BACKUP_KIND is 'all'; expected snapshot, rdb or aof"],
    [{ BACKUP_KEEP: '0' }, 2, "BACKUP_KEEP is '0'; expected a number from 1"],
    [{ BACKUP_DIR: '/nowhere' }, 2, "BACKUP_DIR is '/nowhere', which is no folder"],
    [{ REDIS_PASSWORD_FILE: '/nowhere' }, 2, 'REDIS_PASSWORD_FILE names /nowhere, which cannot be read'],
    [{ REDIS_PORT: '1' }, 1, 'the server at 127.0.0.1:1 says: Could not connect'],
  ])('%j: exits with %i', async (wrong, code, message) => {
    const folder = temporaryFolder();
    const outcome = await backUp({ BACKUP_DIR: folder, REDIS_PORT: '1', ...wrong });
    expect(outcome).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(message) });
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('k8s/components/backup/redis-restore.sh', () => {
  it('refuses a running server, a folder that is not empty and a damaged backup, without changes', async () => {
    await begin(['--appendonly', 'yes']);
    await fill();
    const rdb = fileOf(await backUp(env));
    const aof = fileOf(await backUp({ ...env, BACKUP_KIND: 'aof' }));
    const yes = { ...env, REDIS_APPENDONLY: 'yes' };
    const refusals = async () =>
      [await restore(yes, rdb), await restore(yes, aof)].map(({ code, stderr }) => [code, stderr]);
    const running = expect.stringContaining('a server answers at');
    expect(await refusals()).toEqual([
      [1, running],
      [1, running],
    ]);
    await system.redis.crash();
    const inTheWay = expect.stringContaining('there is a appendonlydir in');
    expect(await refusals()).toEqual([
      [1, inTheWay],
      [1, inTheWay],
    ]);
    for (const file of [rdb, aof]) {
      const bytes = await readFile(file);
      await writeFile(file, bytes.subarray(0, bytes.length - 200));
    }
    const damaged = expect.stringContaining('is damaged');
    expect(await refusals()).toEqual([
      [1, damaged],
      [1, damaged],
    ]);
    expect((await readdir(system.redis.folder)).filter((name) => name !== 'dump.rdb')).toEqual(['appendonlydir']);
  });

  it('--force: moves the existing files aside', async () => {
    await begin(['--appendonly', 'yes']);
    const ids = Object.values(await fill()).flat();
    const file = fileOf(await backUp(env));
    await system.submit('ProcessData', { data: 'after the backup' });
    await system.redis.crash();
    expect(await restore({ ...env, REDIS_APPENDONLY: 'yes' }, '--force', file)).toMatchObject({ code: 0 });
    await system.redis.restart();
    await eventually(() => system.store.ping().then(() => true));
    expect(await system.jobs(ids)).toHaveLength(400);
    expect((await system.store.stats()).reduce((sum, { count }) => sum + count, 0)).toBe(400);
    expect((await readdir(system.redis.folder)).some((name) => /^before_restore_\d{8}_\d{6}$/.test(name))).toBe(true);
  });

  it.each([
    [[], 'expected one file'],
    [['x.rdb'], 'say REDIS_APPENDONLY=yes or no'],
    [['x.aof.tar.gz'], 'x.aof.tar.gz cannot be read'],
    [['x.zip'], 'expected a file that ends in .rdb or .aof.tar.gz'],
  ])('%j: exits with 2 for wrong usage', async (args, message) => {
    const outcome = await restore({ REDIS_DATA_DIR: tmpdir(), REDIS_PORT: '1' }, ...args);
    expect(outcome).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
  });

  it('passes shellcheck, like the other scripts', async (test) => {
    const version = await run('shellcheck', ['--version']).catch(() => null);
    if (!version) test.skip('there is no shellcheck here');
    await expect(run('shellcheck', ['-s', 'sh', ...SCRIPTS])).resolves.toEqual({ stdout: '', stderr: '' });
  });
});

describe('k8s/components/backup', () => {
  const component = new URL('../../k8s/components/backup/', import.meta.url).pathname;

  it('sets only variables that the scripts read, and mounts their files', async () => {
    const manifests = manifestsIn(component).map(([, manifest]) => manifest);
    const containers = workloadsOf(manifests).flatMap((workload) => workload.containers);
    expect(containers.map(({ name }) => name)).toEqual(['backup', 'offsite', 'download', 'restore']);
    for (const container of containers) {
      const [path] = /\/opt\/redis-backup\/[\w-]+\.sh/.exec(container.command!.join(' ')) as [string];
      const source = await readFile(join(component, path.split('/').at(-1)!), 'utf8');
      const variables = environmentOf(container);
      expect(Object.keys(variables).filter((name) => !source.includes(`\${${name}`))).toEqual([]);
      const mounts = (container.volumeMounts ?? []).map(({ mountPath }) => mountPath);
      const needed = [path, ...Object.values(variables).filter((value) => value.startsWith('/'))];
      const isMounted = (file: string) => mounts.some((mount) => file === mount || file.startsWith(`${mount}/`));
      expect(needed.filter((file) => !isMounted(file))).toEqual([]);
      expect(mounts.filter((mount) => !needed.some((file) => `${file}/`.startsWith(`${mount}/`)))).toEqual(
        container.name === 'restore' ? ['/backup'] : [],
      );
    }
  });

  it('is a component that kustomize builds, with the scripts in a ConfigMap', async (test) => {
    const kubectl = await run('kubectl', ['kustomize', '--help']).catch(() => null);
    if (!kubectl) test.skip('there is no kubectl here');
    const folder = temporaryFolder();
    await cp(component, join(folder, 'backup'), { recursive: true });
    await mkdir(join(folder, 'overlay'));
    const kustomization = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\ncomponents: [../backup]\n';
    await writeFile(join(folder, 'overlay', 'kustomization.yaml'), kustomization);
    const { stdout } = await run('kubectl', ['kustomize', join(folder, 'overlay')]);
    const kinds = [...stdout.matchAll(/^kind: (\w+)$/gm)].map(([, kind]) => kind as string);
    expect(kinds.toSorted()).toEqual(['ConfigMap', 'ConfigMap', 'CronJob', 'NetworkPolicy', 'PersistentVolumeClaim']);
    expect(stdout).toContain('  redis-backup.sh: |');
    expect(stdout).toMatch(/configMap:\n +name: redis-backup-scripts\n/);
  });
});
