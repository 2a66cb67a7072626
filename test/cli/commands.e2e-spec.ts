import { join } from 'node:path';
import type { Job, QueueStats } from 'nestjs-async-endpoints';
import type { OperatorAction } from 'nestjs-async-endpoints/store';
import { aJob, eventually } from 'nestjs-async-endpoints/testing';
import { AppProcess } from '../app-process.js';
import { type Backend, BACKENDS, type Store } from '../stores/backends.js';
import { temporaryFolder } from '../temporary-folder.js';
import { quickToolWith, toolWith } from './tool.js';

const UNKNOWN = 'd0a7d9f6-5a3f-4c57-9a31-7a2b6d2c1f00';
const LONG_AGO_MS = 7_200_000;

describe.each(Object.entries(BACKENDS))('npx async-endpoints, with jobs in %s', (kind, start) => {
  let backend: Backend;
  let store: Store;
  let tool: ReturnType<typeof quickToolWith>;
  let env: Record<string, string>;
  let now: number | null;

  beforeAll(async () => {
    backend = await start();
    env = { ...backend.env };
    tool = quickToolWith(env);
  });
  beforeEach(async () => {
    now = null;
    await backend.empty();
    store = backend.create({ now: () => now ?? Date.now() });
    await store.open();
  });
  afterEach(() => store.close());
  afterAll(async () => {
    await tool.stop();
    await backend.stop();
  });

  async function submit(count: number, over: Parameters<typeof aJob>[0] = {}): Promise<string[]> {
    const jobs = Array.from({ length: count }, () => aJob(over));
    await store.submit(jobs, { queueLimit: 100_000 });
    return jobs.map(({ id }) => id);
  }

  function claim(name: string, count: number, leaseMs: number) {
    return store.claim({ worker: 'w', leaseMs, limit: count, slots: new Map([[name, count]]) });
  }

  async function fail(name: string, count: number, code = 'UPSTREAM_DOWN'): Promise<string[]> {
    const claims = await claim(name, count, 60_000);
    const error = { code, message: 'It is \u001b[31mdown' };
    await store.settle(claims.map(({ job, fence }) => ({ verb: 'fail' as const, id: job.id, name, fence, error })));
    return claims.map(({ job }) => job.id);
  }

  const json = async <T>(...args: string[]) => JSON.parse((await tool(...args, '--json')).stdout) as T;
  const statusOf = async (id: string) => (await store.find([id]))[0]?.status;

  it('stats: writes a table, or JSON with --json', async () => {
    await submit(2, { name: 'Report' });
    await submit(1, { name: 'Mail', delayMs: 60_000 });
    await fail('Report', 1);
    const { code, stdout, stderr } = await tool('stats');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^NAME {4}QUEUED {2}SCHEDULED {2}INPROGRESS/);
    expect(stdout).toMatch(/^Mail +0 +1 +0 +0 +0 +0 +0s +-$/m);
    expect(stdout).toMatch(/^Report +1 +0 +0 +0 +1 +0 +\d+s +-$/m);
    const entries = await json<QueueStats[]>('stats');
    expect(entries).toContainEqual(expect.objectContaining({ name: 'Mail', status: 'Scheduled', count: 1 }));
  });

  it('list: filters by name, status, owner and error, newest first, and reports that there are more', async () => {
    await submit(60, { name: 'Report', owner: 'ann' });
    const [mail] = await submit(1, { name: 'Mail' });
    const all = await tool('list');
    expect(all.stdout.trim().split('\n')).toHaveLength(51);
    expect(all.stderr).toBe('async-endpoints: showing the newest 50; use --limit or --all to see more\n');
    expect(all.stdout).toMatch(/^ID +NAME +OWNER +STATUS /);
    expect(all.stdout).toMatch(/ Report +ann +Queued /);
    expect((await tool('list', '--name', 'Mail')).stdout).toMatch(/^ID +NAME +STATUS /);
    expect(await json('list', '--all')).toHaveLength(61);
    expect(await json('list', '--limit', '3', '--owner', 'ann')).toHaveLength(3);
    expect(await json('list', '--name', 'Mail', '--status', 'Queued')).toMatchObject([{ id: mail }]);
    expect(await json('list', '--status', 'Completed')).toEqual([]);
    await fail('Report', 2);
    const [failed] = await fail('Report', 1, 'BAD_INPUT');
    expect(await json('list', '--error', 'BAD_INPUT')).toMatchObject([{ id: failed, status: 'Failed' }]);
    expect(await json('list', '--limit', '1')).toMatchObject([{ id: failed }]);
  });

  it('pause and resume: apply to every worker, and stats shows paused names', async () => {
    await submit(1, { name: 'Report' });
    expect((await tool('pause', 'Report', 'Mail')).stdout).toBe('Report, Mail: paused.\n');
    expect((await tool('stats')).stdout).toMatch(/^Mail .* paused$/m);
    expect(await claim('Report', 1, 60_000)).toEqual([]);
    expect(await json('pause', 'Report')).toEqual([
      { name: 'Mail', pausedAt: expect.any(Number), pausedBy: expect.stringMatching(/.@./) },
      { name: 'Report', pausedAt: expect.any(Number), pausedBy: expect.stringMatching(/.@./) },
    ]);
    expect((await store.takeActions()).map(({ verb, jobs }) => [verb, jobs.map(({ name }) => name)])).toEqual([
      ['pause', ['Report', 'Mail']],
      ['pause', ['Report']],
    ]);
    expect((await tool('resume', 'Report', 'Mail')).stdout).toBe('Report, Mail: resumed.\n');
    expect((await tool('stats')).stdout).not.toContain('PAUSED');
    expect(await claim('Report', 1, 60_000)).toHaveLength(1);
    expect((await tool('pause')).code).toBe(2);
  });

  it('schedules: lists them without payloads, and triggers, pauses, resumes and removes them', async () => {
    expect((await tool('schedules')).stdout).toBe('There are no schedules.\n');
    const template = { ...aJob({ name: 'Report', payload: '{"request":"secret"}', owner: 'ann' }) };
    const options = { missed: 'once', missedWithinMs: 1, overlap: 'skip', isDeclared: true };
    const nextAt = Date.parse('2031-05-04T03:00:00Z');
    await store.schedules.declare([
      {
        name: 'nightly',
        job: 'Report',
        timing: '{"cron":"0 3 * * *","timeZone":"UTC"}',
        definition: JSON.stringify({ ...options, template }),
        nextAt,
      },
    ]);
    const { stdout } = await tool('schedules', 'list');
    expect(stdout).toMatch(/^NAME +JOB +WHEN +NEXT/);
    expect(stdout).toMatch(/^nightly +Report +0 3 \* \* \* UTC +2031-05-04/m);
    const triggered = await json<{ jobId: string }>('schedules', 'trigger', 'nightly');
    expect((await store.find([triggered.jobId]))[0]).toMatchObject({ name: 'Report', owner: 'ann', status: 'Queued' });
    expect((await tool('schedules', 'pause', 'nightly')).stdout).toBe('nightly: paused.\n');
    expect((await tool('schedules')).stdout).toMatch(/^nightly .* by .+@/m);
    expect((await tool('schedules', 'resume', 'nightly')).stdout).toBe('nightly: resumed.\n');
    const listed = await json<object[]>('schedules');
    expect(listed).toMatchObject([{ name: 'nightly', nextAt, pausedAt: null, isDeclared: true, owner: 'ann' }]);
    expect(JSON.stringify(listed) + stdout).not.toContain('secret');
    expect((await tool('schedules', 'remove', 'nightly')).stdout).toBe('nightly: removed.\n');
    const unknown = await tool('schedules', 'trigger', 'nightly');
    expect(unknown).toMatchObject({ code: 1, stderr: 'async-endpoints: there is no schedule "nightly"\n' });
    const verbs = (await store.takeActions()).map(({ verb, jobs }) => [verb, jobs[0]?.name]);
    expect(verbs).toEqual(['trigger', 'pause', 'resume', 'remove'].map((verb) => [verb, 'schedule nightly']));
  });

  it('workers: lists live workers and their names until they stop or die, and names without a worker', async () => {
    const fast = {
      ASYNC_WORKER_LEASE_MS: '300',
      ASYNC_RECOVERY_SWEEP_INTERVAL_MS: '50',
      ASYNC_WORKER_VERSION: '1.2.3',
    };
    const started = ['killed', 'stopped'].map(
      (id) => new AppProcess('worker', { ...env, ...fast, ASYNC_WORKER_ID: id }),
    );
    onTestFinished(() => Promise.all(started.map((worker) => worker.kill())).then(() => {}));
    const [killed, stopped] = started as [AppProcess, AppProcess];
    await Promise.all(started.map((worker) => worker.listening()));
    const known = async () => (await store.workers()).map(({ id }) => id.replace(/@.*/, ''));
    await eventually(async () => (await known()).join() === 'killed,stopped', 20_000);
    await submit(2, { name: 'Unknown to all' });
    const { stdout, stderr } = await tool('workers');
    expect(stdout).toMatch(/^ID +VERSION +SLOTS +STARTED +HEARTBEAT +NAMES$/m);
    expect(stdout).toMatch(/^killed@\S+ +1\.2\.3 +\d+ .* ProcessData/m);
    expect(stderr).toBe('async-endpoints: 2 Unknown to all jobs wait, but no live worker handles them\n');
    expect(await json('workers')).toMatchObject([{ pid: killed.pid, version: '1.2.3' }, { pid: stopped.pid }]);
    stopped.signal('SIGTERM');
    expect(await stopped.exitCode()).toBe(0);
    expect(await known()).toEqual(['killed']);
    await killed.kill();
    await eventually(async () => (await known()).length === 0, 20_000);
    expect((await tool('workers')).stdout).toBe('There are no live workers.\n');
  });

  it('reports its changes to the log and metrics of one worker', async () => {
    await submit(1_200, { name: 'Report' });
    await fail('Report', 1_200);
    await tool('rerun', '--name', 'Report', '--yes');
    const report = (verb: OperatorAction['verb'], ...jobs: OperatorAction['jobs']) =>
      store.reportAction({ verb, by: 'ann@host', jobs });
    await report('cancel', { name: 'Report', status: 'Canceled', count: 7 });
    await report('recover', { name: 'Mail', status: 'Queued', count: 2 }, { name: 'Mail', status: 'Failed', count: 1 });
    await report('pause', { name: 'Mail', status: null, count: 0 });
    await report('purge', { name: null, status: null, count: 3 });
    const worker = new AppProcess('worker', { ...env, LOG_FORMAT: 'json', ASYNC_RECOVERY_SWEEP_INTERVAL_MS: '100' });
    onTestFinished(() => worker.kill());
    const { client } = await worker.listening();
    const counted = async (series: string) => {
      const lines = (await (await fetch(`${client.url}/metrics`)).text()).split('\n');
      return Number(lines.find((line) => line.startsWith(`asyncendpoints_${series}`))?.split(' ')[1] ?? 0);
    };
    await eventually(async () => (await counted('jobs_purged_total')) >= 3, 20_000);
    expect(await counted('jobs_rerun_total{job_name="Report"')).toBe(1_200);
    expect(await counted('jobs_canceled_total{job_name="Report"')).toBe(7);
    expect(await counted('jobs_recovered_total{job_name="Mail",job_status="Queued"')).toBe(2);
    expect(await counted('jobs_failed_total{job_name="Mail",error_type="WORKER_CRASHED"')).toBe(1);
    const entries = worker.output.split('\n').filter((line) => line.includes('ran '));
    const said = entries.map((line) => (JSON.parse(line) as { message: string }).message);
    // One line where it takes less than a second.
    const rerun = said.map(
      (line) => /^\S.*@\S+ ran "async-endpoints rerun": (\d+) jobs \(\1 Report, now Queued\)$/.exec(line)?.[1],
    );
    expect(rerun.reduce((sum, count) => sum + Number(count ?? 0), 0)).toBe(1_200);
    expect(said.slice(-4)).toEqual([
      'ann@host ran "async-endpoints cancel": 7 jobs (7 Report, now Canceled)',
      'ann@host ran "async-endpoints recover": 3 jobs (2 Mail, now Queued; 1 Mail, now Failed)',
      'ann@host ran "async-endpoints pause": Mail',
      'ann@host ran "async-endpoints purge": 3 jobs',
    ]);
    expect(await store.takeActions()).toEqual([]);
  });

  it('writes only JSON lines with LOG_FORMAT=json and without a terminal', async () => {
    await submit(2);
    const warning = `--import data:text/javascript,${encodeURIComponent('process.once("beforeExit", () => process.emitWarning("old ways"))')}`;
    const logged = toolWith({ ...env, LOG_FORMAT: 'json', NODE_OPTIONS: warning });
    const { stdout, stderr } = await logged('list', '--limit', '1');
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toMatchObject([[{ status: 'Queued' }]]);
    const entries = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { level: string; message: string });
    expect(entries).toMatchObject([
      { level: 'log', message: expect.stringContaining('the newest 1;') as string, context: 'async-endpoints' },
      { level: 'warn', message: 'Warning: old ways' },
    ]);
    const wrong = await logged('nothing');
    expect(JSON.parse(wrong.stderr.split('\n')[0] as string)).toMatchObject({ level: 'error' });
  });

  it('show: writes everything about a job, without terminal escape sequences', async () => {
    await submit(1, { name: 'Report' });
    const [id] = (await fail('Report', 1)) as [string];
    const { code, stdout } = await tool('show', id.toUpperCase());
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^id +${id}$`, 'm'));
    expect(stdout).toMatch(/^error +\{"code":"UPSTREAM_DOWN"/m);
    expect(stdout).toMatch(/^attempt 1 +fail at .* after .*, w: UPSTREAM_DOWN: It is /m);
    expect(stdout).toMatch(/^createdAt +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/m);
    expect(stdout).not.toContain('\u001b');
    expect(await json<Job>('show', id)).toMatchObject({ id, status: 'Failed', error: { code: 'UPSTREAM_DOWN' } });
    expect(await tool('show', UNKNOWN)).toEqual({
      code: 1,
      stdout: '',
      stderr: 'async-endpoints: there is no such job\n',
    });
  });

  it('cancel and rerun: change the given ids, and exit with 1 when one is unknown', async () => {
    const [first, second] = (await submit(2)) as [string, string];
    expect(await tool('cancel', first)).toEqual({ code: 0, stdout: '1 job canceled.\n', stderr: '' });
    expect([await statusOf(first), await statusOf(second)]).toEqual(['Canceled', 'Queued']);
    const again = await tool('rerun', first, UNKNOWN, '--yes');
    expect(again).toMatchObject({ code: 1, stdout: '1 job queued again.\n' });
    expect(again.stderr).toBe('async-endpoints: 1 job not queued again: unknown, or not Failed, Canceled\n');
    expect(await statusOf(first)).toBe('Queued');
  });

  it('rerun: with --error, takes only jobs that failed with this code', async () => {
    await submit(1_203, { name: 'Report' });
    await submit(2, { name: 'Mail' });
    await fail('Report', 1_200);
    const other = await fail('Report', 3, 'BAD_INPUT');
    await fail('Mail', 2);
    const asked = await tool('rerun', '--name', 'Report', '--error', 'UPSTREAM_DOWN');
    expect(asked.code).toBe(2);
    expect(asked.stderr).toBe('async-endpoints: This will rerun 1200 jobs. Confirm with --yes.\n');
    expect(await json('rerun', '--name', 'Report', '--error', 'UPSTREAM_DOWN', '--yes')).toEqual({
      changed: 1_200,
      refused: 0,
    });
    expect(await statusOf(other[0] as string)).toBe('Failed');
    expect(await json('list', '--status', 'Failed', '--all')).toHaveLength(5);
    expect((await tool('cancel', '--all', '--yes')).stdout).toBe('1200 jobs canceled.\n');
    expect(await store.audit()).toEqual([]);
  });

  it('rerun: takes failed jobs only, and canceled ones with --status Canceled', async () => {
    const [canceled] = (await submit(1, { name: 'Report' })) as [string];
    await store.cancel([canceled]);
    await submit(1, { name: 'Report' });
    const [failed] = (await fail('Report', 1)) as [string];
    for (const which of [['--name', 'Report'], ['--all']]) {
      await tool('rerun', ...which, '--yes');
      expect([await statusOf(failed), await statusOf(canceled)]).toEqual(['Queued', 'Canceled']);
    }
    await tool('rerun', '--name', 'Report', '--status', 'Canceled', '--yes');
    expect(await statusOf(canceled)).toBe('Queued');
  });

  it('recover: with --running-for and --name, queues running jobs of that name again', async () => {
    await submit(1, { name: 'Report' });
    await submit(1, { name: 'Mail' });
    const [report] = await claim('Report', 1, 600_000);
    const [mail] = await claim('Mail', 1, 600_000);
    expect(await json('recover', '--running-for', '0s', '--name', 'Mail')).toEqual({ recovered: 0, taken: 1 });
    expect([await statusOf(report!.job.id), await statusOf(mail!.job.id)]).toEqual(['InProgress', 'Queued']);
    expect(await tool('recover', '--name', 'Mail')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--running-for'),
    });
  });

  it('stuck and recover: take the jobs of dead workers, and with --running-for long-running ones of live workers', async () => {
    now = Date.now() - LONG_AGO_MS - 1_000;
    await submit(3, { name: 'Report' });
    const [dead, alive] = (await claim('Report', 2, 1_000)).map(({ job }) => job.id) as [string, string];
    now = null;
    const [young] = (await claim('Report', 1, 600_000)).map(({ job }) => job.id) as [string];
    const stuck = await json<Job[]>('stuck', '--running-for', '2h');
    expect(stuck.map(({ id }) => id).toSorted()).toEqual([dead, alive].toSorted());
    expect((await tool('stuck')).stdout).toMatch(new RegExp(`^${alive} +Report +\\S+Z +\\S+Z +0 +w$`, 'm'));
    expect((await tool('stuck', '--running-for', '3d')).stdout).toBe('No job has been running for 3d.\n');

    expect((await tool('recover')).stdout).toBe('2 jobs recovered from dead workers.\n');
    expect([await statusOf(dead), await statusOf(alive), await statusOf(young)]).toEqual([
      'Queued',
      'Queued',
      'InProgress',
    ]);
    expect(await json('recover', '--running-for', '0s')).toEqual({ recovered: 0, taken: 1 });
    expect(await statusOf(young)).toBe('Queued');
    expect(await store.audit()).toEqual([]);
  });

  it('purge: deletes jobs past their retention', async () => {
    const ids = await submit(230, { retention: { completedMs: 0, failedMs: 0, canceledMs: 0 } });
    await store.cancel(ids);
    await submit(1);
    expect((await tool('purge')).stdout).toBe('230 jobs past retention purged.\n');
    expect(await json('list')).toHaveLength(1);
  });

  it('audit: exits with 0 without deviations, and with 1 otherwise', async () => {
    await submit(2);
    expect(await tool('audit')).toEqual({ code: 0, stdout: 'Every job is where its status says.\n', stderr: '' });
    await backend.miscount();
    const found = await tool('audit');
    expect(found).toMatchObject({ code: 1, stderr: expect.stringContaining('1 deviation; ') as string });
    expect(await json('audit')).toEqual(found.stdout.trim().split('\n'));
    const asked = await tool('audit', '--repair');
    expect(asked.stderr).toBe(
      'async-endpoints: This will repair 1 deviation, and delete records that cannot be read. Confirm with --yes.\n',
    );
    const repaired = await tool('audit', '--repair', '--yes');
    expect(repaired).toMatchObject({ code: 0, stderr: 'async-endpoints: 1 deviation found, 0 left\n' });
    expect(await json('stats')).toMatchObject([{ status: 'Queued', count: 2 }]);
  });

  it('--store overrides the configuration, and no password is shown when the store cannot be used', async () => {
    await submit(2, { name: 'Report' });
    const elsewhere = quickToolWith({ REDIS_URL: 'redis://127.0.0.1:1', POSTGRES_URL: 'postgres://127.0.0.1:1' });
    onTestFinished(() => elsewhere.stop());
    expect((await elsewhere('--store', backend.url, 'stats')).stdout).toMatch(/^Report +2 /m);
    expect((await elsewhere('stats', '--store', backend.url)).code).toBe(0);
    const [url, said] = backend.unreachable;
    for (const command of ['stats', 'audit', 'workers', 'purge', 'schedules']) {
      const away = await elsewhere(command, '--store', url);
      expect(away).toMatchObject({ stdout: '', stderr: expect.stringMatching(/^[^\n]*\n$/) as string });
      expect(away.stderr.trimEnd()).toMatch(said);
      expect(away.code).toBeGreaterThan(0);
    }
  });

  it('backup: copies a file, and names the tool for a server', async () => {
    const target = join(temporaryFolder(), 'copy.db');
    await submit(2);
    const outcome = await tool('backup', target);
    if (kind === 'SQLite') {
      expect(outcome.code).toBe(0);
      expect((await toolWith({})('list', '--json', '--store', `sqlite:${target}`)).stdout.match(/"id"/g)).toHaveLength(
        2,
      );
    } else {
      expect(outcome).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/snapshots, .* pg_dump: see docs/) as string,
      });
    }
  });

  it('migrate: does not change a store that has the current schema', async () => {
    await submit(2);
    const { code, stdout } = await tool('migrate');
    expect([code, stdout]).toEqual([0, expect.stringMatching(MIGRATED[kind as keyof typeof MIGRATED])]);
    expect(await json('list')).toHaveLength(2);
  });
});

const MIGRATED = {
  Redis: /^Redis has no schema: there is nothing to migrate\.\n$/,
  PostgreSQL: /^The schema async_endpoints has version \d+ or a later one\.\n$/,
  SQLite: /^The database .*jobs\.db has the schema of this release\.\n$/,
};
