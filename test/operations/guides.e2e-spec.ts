import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RedisJobStore } from 'nestjs-async-endpoints/redis';
import { eventually } from 'nestjs-async-endpoints/testing';
import { BIN } from '../cli/tool.js';
import { shell } from '../demo/shell.js';
import { type Step, stepsOf, Transcript } from '../readme/transcript.js';
import { System } from '../redis/system.js';
import { temporaryFolder } from '../temporary-folder.js';
import { SCRIPTS } from './backup.js';

const root = new URL('../../', import.meta.url);
const read = (path: string) => readFile(new URL(path, root), 'utf8');
const HOUR_MS = 3_600_000;

async function start(): Promise<System> {
  const system = await System.start(['--appendonly', 'yes', '--repl-diskless-sync-delay', '0']);
  onTestFinished(() => system.stop());
  return system;
}

/** Compares what each command of the document writes with what the document says; `real` has it run here. */
async function follow(document: string, real: (step: Step, command: string) => Promise<string>): Promise<void> {
  const transcript = new Transcript();
  for (const step of stepsOf(await read(document))) {
    const actual = await real(step, transcript.commandOf(step));
    const where = `${document}:${step.line} ${step.command}`;
    const written = transcript.isWritten(step, actual) ? step.expected : actual;
    expect({ where, written }).toEqual({ where, written: step.expected });
  }
}

const tool = (system: System, command: string) =>
  shell(
    `cd ${tmpdir()}; export REDIS_URL=${system.redis.url}; ${command.replace('npx async-endpoints', `node ${BIN}`)} 2>&1`,
  );

describe('docs/operations.md', () => {
  it('shows the exact output of its commands', async () => {
    const system = await start();
    const longAgo = new RedisJobStore({ url: system.redis.url, now: () => Date.now() - 2 * HOUR_MS - 1_000 });
    await longAgo.open();
    onTestFinished(() => longAgo.close());
    await system.submit('ProcessData', { data: 'text' }, 3);
    const slots = new Map([['ProcessData', 2]]);
    const failing = await system.store.claim({ worker: 'worker-1', leaseMs: 60_000, limit: 2, slots });
    const error = { code: 'UPSTREAM_DOWN', message: 'No answer' };
    await system.store.settle(
      failing.map(({ job: { id, name }, fence }) => ({ verb: 'fail' as const, id, name, fence, error })),
    );
    // By now only one waits, and is taken as it would have been two hours ago.
    await longAgo.claim({ worker: 'worker-1', leaseMs: 3 * HOUR_MS, limit: 1, slots });
    await system.submit('ProcessData', { data: 'text' }, 2);
    await follow('docs/operations.md', (_step, command) => tool(system, command));
    expect(await system.store.audit()).toEqual([]);
  }, 120_000); // every command is a process
});

describe('docs/backup.md', () => {
  it('describes a backup and a restore that work', async () => {
    const system = await start();
    const backups = temporaryFolder();
    await writeFile(join(backups, 'password'), 'none, as this Redis asks for none');
    const ids = await system.submit('ProcessData', { data: 'text' }, 10);
    const { folder, port } = system.redis;
    let name = 'redis_backup_20260101_021700';
    await follow('docs/backup.md', async ({ command }, about) => {
      if (command.includes('npx')) return tool(system, about);
      const isRestore = command.includes('redis-restore');
      if (isRestore) {
        await system.redis.crash();
        await rm(folder, { recursive: true });
        await mkdir(folder);
      }
      const real = about
        .replace('REDIS_HOST=redis', '')
        .replace('REDIS_USERNAME=backup REDIS_PASSWORD_FILE=/run/secrets/redis-backup-password', '')
        .replaceAll(/\/backup(?=[ /])/g, backups)
        .replace('=/data', `=${folder}`)
        .replace('redis_backup_20260101_021700', name)
        .replace('redis-backup.sh', SCRIPTS[0])
        .replace('redis-restore.sh', SCRIPTS[1]);
      const written = await shell(`export REDIS_PORT=${port}; ${real}`);
      name = /redis_backup_\d{8}_\d{6}/.exec(written)?.[0] ?? name;
      if (isRestore) {
        await system.redis.restart();
        await eventually(() => system.store.ping().then(() => true));
      }
      return written
        .replaceAll(backups, '/backup')
        .replace(folder, '/data')
        .replace(name, 'redis_backup_20260101_021700');
    });
    expect((await system.jobs(ids)).map(({ status }) => status)).toEqual(ids.map(() => 'Queued'));
  });
});

it.each(['docs/operations.md', 'docs/backup.md'])('%s links only to existing files', async (document) => {
  const links = [...(await read(document)).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link]) => link as string);
  expect(links.length).toBeGreaterThan(1);
  for (const link of links) await expect(stat(new URL(link, new URL(document, root)))).resolves.toBeDefined();
});
