import { execFile } from 'node:child_process';
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { toolWith } from '../cli/tool.js';
import { temporaryFolder } from '../temporary-folder.js';
import { ready, Submitters } from './submitters.js';
import { figure, System } from './system.js';

const run = promisify(execFile);

interface Backup {
  take(system: System, file: string): Promise<unknown>;
  /** While no process uses the store. */
  restore(system: System, file: string): Promise<unknown>;
}

/** As docs/deploy-docker.md and docs/sqlite.md say. */
const BACKUPS: Record<'PostgreSQL' | 'SQLite', Backup> = {
  PostgreSQL: {
    take: ({ backend: { url } }, file) => run('pg_dump', ['-Fc', '-f', file, url]),
    restore: ({ backend: { url } }, file) => run('pg_restore', ['--clean', '--if-exists', '-d', url, file]),
  },
  SQLite: {
    take: ({ backend: { env } }, file) => toolWith(env)('backup', file),
    async restore({ backend: { env } }, file) {
      const path = env['SQLITE_PATH'] as string;
      for (const log of ['-wal', '-shm']) await rm(path + log, { force: true });
      await copyFile(file, path);
    },
  },
};

describe.each(Object.entries(BACKUPS))('A backup of %s under load', (kind, { take, restore }) => {
  let system: System;

  beforeAll(async () => {
    system = await System.start(kind as keyof typeof BACKUPS);
  });

  afterAll(() => system.stop());

  it('has every job that was acknowledged before it; restored, API and workers go on with it', async () => {
    const [api] = await Promise.all([system.api(), system.worker()]);
    const submitters = new Submitters(api, 2);
    await submitters.more(20, 'accepted');
    const waiting = await system.submit('Probe', {}, 5);
    const before = [...submitters.accepted];
    const file = join(temporaryFolder(), 'backup');
    await take(system, file);
    const during = submitters.accepted.length;
    await submitters.more(20, 'accepted');
    await submitters.stop();
    const after = submitters.accepted.slice(during);
    await system.until(submitters.accepted, 'Completed');

    await system.reset(); // ends the processes
    await system.store.close();
    await restore(system, file);
    await system.store.open();
    expect(await system.store.audit()).toEqual([]);
    expect((await system.store.find(after.slice(-10))).filter(Boolean)).toEqual([]);

    const processes = await Promise.all([system.api(), system.worker()]);
    await ready(processes);
    const completed = await system.until(before, 'Completed');
    expect((await system.jobs(waiting)).map(({ status }) => status)).toEqual(waiting.map(() => 'Queued'));
    const location = await processes[0].client.submit('/api/process-data', { data: 'text' });
    expect(await processes[0].client.finished(location)).toMatchObject({ status: 'Completed' });
    figure(`${kind}: ${completed.length} jobs acknowledged before the backup, 0 lost after its restore`);
    await system.reset();
  });
});
