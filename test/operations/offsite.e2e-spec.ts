import { spawnSync } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from 'nestjs-async-endpoints/testing';
import type { IContainer } from 'kubernetes-models/v1';
import { read } from '../deployment/files.js';
import { manifestsIn } from '../deployment/manifests.js';
import { environmentOf, type Workload, workloadsOf } from '../deployment/workloads.js';
import { System } from '../redis/system.js';
import { temporaryFolder } from '../temporary-folder.js';
import { COMPONENT, offsite, type Outcome, runCommand } from './backup.js';
import { type S3Server, startS3Server } from './s3-server.js';

const hasRclone = spawnSync('rclone', ['version']).status === 0;
const TARGET = Object.fromEntries(
  [...read('k8s/components/backup/target.env').matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
) as Record<string, string>;

describe.skipIf(!hasRclone)('Backups in an S3-compatible store', () => {
  let s3: S3Server;
  let env: Record<string, string>;
  let backups: string;

  beforeAll(async () => {
    s3 = await startS3Server();
  });

  afterAll(() => s3.stop());

  beforeEach(() => {
    backups = temporaryFolder();
    // A folder of each test's own in the bucket.
    env = { ...TARGET, ...s3.env, BACKUP_DIR: backups, S3_PREFIX: backups.split('/').at(-1)! };
  });

  it('restore drill: after a backup by the CronJob and the loss of Redis with its volume, the restore Job restores every job', async () => {
    const system = await System.start(['--repl-diskless-sync-delay', '0', '--appendonly', 'yes']);
    onTestFinished(() => system.stop());
    const ids = await system.submit('ProcessData', { data: 'text' }, 20);
    const [cronJob, restoreJob] = jobsOfTheComponent();
    const folders = { '/backup': backups, '/data': system.redis.folder, '/opt/redis-backup': COMPONENT };
    const here = { ...env, REDIS_HOST: '127.0.0.1', REDIS_PORT: String(system.redis.port) };
    const run = async (container: IContainer) => {
      const { code, stdout, stderr } = await runContainer(container, folders, here);
      expect({ container: container.name, code, stderr }).toEqual({ container: container.name, code: 0, stderr: '' });
      return stdout;
    };
    expect(cronJob.containers.map(({ name }) => name)).toEqual(['backup', 'offsite']);
    const [backup, copy] = cronJob.containers as [IContainer, IContainer];
    await run(backup);
    expect(await run(copy)).toContain(
      `${env['S3_ENDPOINT']}/async-endpoints-backups/${env['S3_PREFIX']}/redis_backup_`,
    );

    await system.redis.crash();
    for (const folder of [backups, system.redis.folder]) {
      await rm(folder, { recursive: true });
      await mkdir(folder);
    }
    expect(restoreJob.containers.map(({ name }) => name)).toEqual(['download', 'restore']);
    for (const container of restoreJob.containers) await run(container);
    await system.redis.restart();
    await eventually(() => system.store.ping().then(() => true));
    expect((await system.jobs(ids)).map(({ status }) => status)).toEqual(ids.map(() => 'Queued'));
    expect(await system.store.audit()).toEqual([]);
    await system.worker();
    await system.until(ids, 'Completed');
  }, 60_000);

  it('uploads the backups of nights on which the storage was unreachable, and overwrites nothing', async () => {
    const [first, second] = ['redis_backup_20260101_021700.rdb', 'redis_backup_20260102_021700.rdb'] as const;
    await writeFile(join(backups, first), 'first');
    const away = await offsite({ ...env, S3_ENDPOINT: 'http://127.0.0.1:1' }, 'upload');
    expect(away).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('did not take the backups') });
    await writeFile(join(backups, second), 'second');
    await writeFile(join(backups, 'notes.txt'), 'not ours');
    expect(await offsite(env, 'upload')).toMatchObject({ code: 0, stderr: '' });
    expect((await offsite(env, 'list')).stdout).toBe(`${first}\n${second}\n`);

    await writeFile(join(backups, first), 'other');
    expect((await offsite(env, 'upload')).code).toBe(0);
    await rm(join(backups, first));
    const { stdout } = await offsite(env, 'download', first);
    expect(stdout).toBe(`${join(backups, first)}\n`);
    expect(await readFile(join(backups, first), 'utf8')).toBe('first');
  });

  it('fails when the storage has another file with the newest name', async () => {
    const name = 'redis_backup_20260101_021700.rdb';
    await writeFile(join(backups, name), 'whole');
    await offsite(env, 'upload');
    await writeFile(join(backups, name), 'other');
    const outcome = await offsite(env, 'upload');
    expect(outcome).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(`${name} is not the same at`),
    });
  });

  it('shows no part of a key that the storage refuses', async () => {
    await writeFile(join(backups, 'redis_backup_20260101_021700.rdb'), 'x');
    const secret = join(temporaryFolder(), 'secret');
    await writeFile(secret, 'geheim');
    const { code, stdout, stderr } = await offsite({ ...env, S3_SECRET_KEY_FILE: secret }, 'upload');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('403');
    expect(stderr).not.toMatch(/geheim|S3RVER/);
  });

  it.each([
    [['upload'], {}, 1, 'there is no backup in '],
    [['download'], {}, 1, 'there is no backup at '],
    [['download', 'redis_backup_1.rdb'], {}, 1, 'there is no redis_backup_1.rdb at '],
    [['delete'], {}, 2, 'expected upload, list or download [NAME]'],
    [['list'], { S3_ENDPOINT: '' }, 2, 'S3_ENDPOINT is missing; expected a URL'],
    [['list'], { S3_BUCKET: '' }, 2, 'S3_BUCKET is missing; expected the name of a bucket'],
    [['list'], { S3_SECRET_KEY_FILE: '/nowhere' }, 2, 'S3_SECRET_KEY_FILE names /nowhere, which cannot be read'],
    [['list'], { OFFSITE_TIMEOUT_SECONDS: '0' }, 2, "OFFSITE_TIMEOUT_SECONDS is '0'; expected a number from 1"],
  ])('%j with %j: exits with %i', async (args, wrong, code, message) => {
    const outcome = await offsite({ ...env, ...wrong }, ...args);
    expect(outcome).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(message) });
  });
});

it('The destination of backups has every variable that the script needs, with TLS', () => {
  expect(Object.keys(TARGET)).toEqual(['S3_ENDPOINT', 'S3_REGION', 'S3_BUCKET', 'S3_PREFIX']);
  expect(TARGET['S3_ENDPOINT']).toMatch(/^https:/);
});

/** The CronJob and the Job for a restore, as they are in their files. */
function jobsOfTheComponent(): [Workload, Workload] {
  const workloads = workloadsOf(manifestsIn(COMPONENT).map(([, manifest]) => manifest));
  return ['CronJob', 'Job'].map((kind) => workloads.find(({ manifest }) => manifest.kind === kind)) as [
    Workload,
    Workload,
  ];
}

/** Runs a container's own command with its own variables; its mounts are folders of this machine. */
function runContainer(
  container: IContainer,
  folders: Record<string, string>,
  env: Record<string, string>,
): Promise<Outcome> {
  const moved = (text: string) =>
    Object.entries(folders).reduce(
      (result, [from, to]) => result.replaceAll(new RegExp(`(?<![\\w/])${from}(?![\\w-])`, 'g'), to.replace(/\/$/, '')),
      text,
    );
  // The Redis of this test has no users, and the key is in another file.
  const isForHere = (name: string) => !name.endsWith('_FILE') && name !== 'REDIS_USERNAME';
  const own = Object.entries(environmentOf(container)).filter(([name]) => isForHere(name));
  const [program = '', ...args] = (container.command ?? []).map((word) => moved(word));
  return runCommand(program, args, { ...Object.fromEntries(own.map(([name, value]) => [name, moved(value)])), ...env });
}
