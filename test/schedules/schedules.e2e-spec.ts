import { Logger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  AsyncEndpointsModule,
  type AsyncEndpointsOptions,
  AsyncHandler,
  defineJob,
  type JobContext,
  JobManager,
  MemoryJobStore,
  Recurring,
  type RecurringOptions,
  SCHEDULE_INSTANTS,
  type ScheduleInstants,
} from 'nestjs-async-endpoints';
import { eventually, type Gate, gate } from 'nestjs-async-endpoints/testing';

const Report = defineJob<{ full: boolean } | undefined, string>('Report', { priority: 3 });
const HOUR = 3_600_000;

interface Run {
  readonly payload: unknown;
  readonly schedule: JobContext['schedule'];
  readonly leave: Gate;
}

let runs: Run[];
let heard: ScheduleInstants[];
const hear = (instants: unknown) => void heard.push(instants as ScheduleInstants);

beforeEach(() => {
  [runs, heard] = [[], []];
  SCHEDULE_INSTANTS.subscribe(hear);
});

afterEach(() => {
  SCHEDULE_INSTANTS.unsubscribe(hear);
});

function handlerOf(schedules: Record<string, RecurringOptions>) {
  class ReportHandler {
    async handle(payload: unknown, { schedule }: JobContext): Promise<string> {
      const run = { payload, schedule, leave: gate() };
      runs.push(run);
      await run.leave.opened;
      return 'done';
    }
  }
  AsyncHandler(Report)(ReportHandler);
  for (const [name, options] of Object.entries(schedules)) Recurring(name, options)(ReportHandler);
  return ReportHandler;
}

/** An application that handles `Report`. */
async function start(store: AsyncEndpointsOptions['store'], schedules: Record<string, RecurringOptions> = {}) {
  const module = await Test.createTestingModule({
    imports: [
      AsyncEndpointsModule.forRoot({ store, worker: { pollingIntervalMs: 50, drainTimeoutMs: 50, abortGraceMs: 0 } }),
    ],
    providers: [handlerOf(schedules)],
  }).compile();
  let isClosed = false;
  const close = async () => {
    if (!isClosed) await module.close();
    isClosed = true;
  };
  onTestFinished(close);
  await module.init();
  return { jobs: module.get(JobManager), close };
}

/** The store's clock begins between two hours, and can be moved forward. */
function aStore() {
  let ahead = Date.parse('2026-03-02T10:15:00Z') - performance.now();
  const now = () => Math.floor(performance.now() + ahead);
  return { store: new MemoryJobStore({ now }), now, advance: (ms: number) => void (ahead += ms) };
}

const instantOf = ({ schedule }: Run) => schedule?.at.getTime() ?? NaN;
const next = (count: number) => eventually(() => runs[count - 1]);
const done = async (jobs: JobManager, count: number) =>
  eventually(async () => (await jobs.stats()).some(({ status, count: n }) => status === 'Completed' && n >= count));

describe('A schedule that a handler declares', () => {
  it('submits jobs repeatedly, with its payload and the instant', async () => {
    const { jobs } = await start(aStore().store, {
      every: { everyMs: 1_000, payload: { full: true }, overlap: 'allow' },
    });
    const [first, second] = [await next(1), await next(2)];
    expect([first, second]).toMatchObject([{ payload: { full: true } }, { payload: { full: true } }]);
    const instants = [first, second].map(instantOf);
    expect(instants.map((at) => at % 1_000)).toEqual([0, 0]);
    expect(instants[1]).toBeGreaterThan(instants[0] as number);
    const [schedule] = (await jobs.schedules.list()).schedules;
    expect(schedule).toMatchObject({
      name: 'every',
      job: 'Report',
      isDeclared: true,
      lastStatus: 'InProgress',
      owner: null,
    });
    expect((await jobs.find(schedule?.lastJobId as string))?.priority).toBe(3);
    for (const { leave } of runs) leave.open();
  });

  it('waits for its instant by the clock of the store, and submits one job for all missed instants', async () => {
    const { store, now, advance } = aStore();
    const declared = { hourly: { cron: '0 * * * *' } } as const;
    const before = await start(store, declared);
    const at = (await before.jobs.schedules.find('hourly'))?.nextAt as Date;
    await before.close();
    advance(at.getTime() - now() + 3 * HOUR + 1);
    const { jobs } = await start(store, declared);
    (await next(1)).leave.open();
    expect(runs[0]?.schedule).toEqual({ name: 'hourly', at: new Date(at.getTime() + 3 * HOUR) });
    await eventually(() => heard.length === 2);
    expect(heard).toMatchObject([
      { outcome: 'fired', count: 1, schedule: 'hourly', job: 'Report' },
      { outcome: 'missed', count: 3 },
    ]);
    await done(jobs, 1);
    const schedule = await jobs.schedules.find('hourly');
    expect(schedule).toMatchObject({ lastStatus: 'Completed', nextAt: new Date(at.getTime() + 4 * HOUR) });
  });

  it('counts from now when its timing changes, and keeps its instant when only the payload does', async () => {
    const { store, now, advance } = aStore();
    const before = await start(store, { report: { cron: '0 * * * *', payload: { full: false } } });
    const at = (await before.jobs.schedules.find('report'))?.nextAt as Date;
    await before.close();
    advance(at.getTime() - now() + 1);
    const changed = await start(store, { report: { cron: '0 * * * *', payload: { full: true } } });
    (await next(1)).leave.open(); // the instant passed during the deploy
    expect(runs[0]).toMatchObject({ payload: { full: true }, schedule: { at } });
    await done(changed.jobs, 1);
    await changed.close();
    advance(HOUR);
    const { jobs } = await start(store, { report: { cron: '30 * * * *' } });
    const schedule = await jobs.schedules.find('report');
    expect(schedule?.nextAt?.getUTCMinutes()).toBe(30);
    expect(schedule?.nextAt?.getTime()).toBeGreaterThan(at.getTime() + HOUR);
    expect(runs).toHaveLength(1);
  });

  it('is removed when it is no longer declared; schedules of other handlers and of the application stay', async () => {
    const { store } = aStore();
    const before = await start(store, { gone: { everyMs: HOUR }, stays: { everyMs: HOUR } });
    await before.jobs.schedules.upsert('dynamic', Report, { everyMs: HOUR });
    const other = { name: 'other', job: 'Other', timing: '{"everyMs":3600000}', nextAt: null };
    const { definition } = (await store.schedules.find(['gone']))[0] as { definition: string };
    await store.schedules.declare([{ ...other, definition }]);
    await before.close();
    const { jobs } = await start(store, { stays: { everyMs: HOUR } });
    await eventually(async () => (await jobs.schedules.list()).schedules.length === 3);
    expect((await jobs.schedules.list()).schedules.map(({ name }) => name)).toEqual(['dynamic', 'other', 'stays']);
  });

  it('with overlap: skip submits no job while the last one is not terminal', async () => {
    const { jobs } = await start(aStore().store, { every: { everyMs: 1_000 } });
    const first = await next(1);
    await eventually(() => heard.filter(({ outcome }) => outcome === 'skipped').length >= 2);
    expect(runs).toHaveLength(1);
    first.leave.open();
    (await next(2)).leave.open();
    await done(jobs, 2);
  });

  it('with overlap: queue submits one job when the last one is terminal', async () => {
    const { store, now } = aStore();
    const { jobs } = await start(store, { every: { everyMs: 1_000, overlap: 'queue' } });
    const first = await next(1);
    const at = instantOf(first);
    await eventually(() => now() > at + 2_200);
    expect(runs).toHaveLength(1);
    first.leave.open();
    const second = await next(2);
    expect(instantOf(second)).toBeGreaterThanOrEqual(at + 2_000);
    second.leave.open();
    await done(jobs, 2);
  });

  it('waits while the queue is full, and logs a warning', async () => {
    const { store, now } = aStore();
    const limits = { jobs: { maxQueueSize: 1 } };
    const module = await Test.createTestingModule({
      imports: [
        AsyncEndpointsModule.forRoot({
          store,
          ...limits,
          worker: { pollingIntervalMs: 50, drainTimeoutMs: 50, abortGraceMs: 0 },
        }),
      ],
      providers: [handlerOf({ every: { everyMs: 1_000, overlap: 'allow' } })],
    }).compile();
    onTestFinished(() => module.close());
    await module.init();
    const jobs = module.get(JobManager);
    await jobs.submit('Unhandled', null);
    await eventually(async () => ((await jobs.schedules.find('every'))?.nextAt?.getTime() ?? Infinity) < now() - 500);
    expect(runs).toEqual([]);
    const [waiting] = (await jobs.list({ name: 'Unhandled' })).jobs;
    await jobs.cancel(waiting?.id as string);
    (await next(1)).leave.open();
  });

  it.each([
    [{ bad: { cron: 'often' } }, 'Schedule "bad": cron is "often"; expected five or six fields.'],
    [{ bad: { everyMs: 5 } }, 'Schedule "bad": everyMs is 5; expected an integer from 1000'],
    [{ bad: { cron: '@daily', timeZone: 'Mars/Base' } }, 'Schedule "bad": timeZone is "Mars/Base"'],
    [{ bad: { cron: '@daily', missed: 'all' } }, 'Schedule "bad": missed is "all" and overlap "skip"'],
    [{ '': { everyMs: HOUR } }, 'The name of a schedule is ""; expected a text of 1 to 200 characters.'],
  ])('that is invalid stops the boot: %j', async (schedules, message) => {
    await expect(start(aStore().store, schedules as never)).rejects.toThrow(message);
  });

  it('with a name that is already declared stops the boot', async () => {
    const Once = handlerOf({ same: { everyMs: HOUR } });
    Recurring('same', { everyMs: HOUR })(Once);
    const booting = Test.createTestingModule({
      imports: [AsyncEndpointsModule.forRoot()],
      providers: [Once],
    }).compile();
    const module = await booting;
    onTestFinished(() => module.close().catch(() => {}));
    await expect(module.init()).rejects.toThrow('Schedule "same" is declared twice; each name is unique.');
  });
});

it('fires a thousand schedules of one instant with two calls for each hundred', async () => {
  const { store, now, advance } = aStore();
  const calls: string[] = [];
  const { next: readNext, fire } = store.schedules;
  store.schedules.next = (...args) => (calls.push('next'), readNext.apply(store.schedules, args));
  store.schedules.fire = (...args) => (calls.push('fire'), fire.apply(store.schedules, args));
  const { jobs } = await start(store);
  for (let n = 0; n < 1_000; n++)
    await jobs.schedules.upsert(`s${n}`, 'Report', { everyMs: HOUR, payload: { full: false } });
  await jobs.pause('Report');
  await eventually(() => calls.includes('next'));
  calls.length = 0;
  advance(HOUR - (now() % HOUR) + 1);
  await jobs.schedules.upsert('wakes', 'Report', { everyMs: HOUR }); // the timer does not know that the clock was moved
  await eventually(async () => (await jobs.depth('Report')) === 1_000);
  expect(calls.filter((call) => call === 'fire').length).toBeLessThanOrEqual(11);
  expect(calls.length).toBeLessThanOrEqual(30);
});

it('fires other schedules while many wait for their last job', async () => {
  const { store, now, advance } = aStore();
  const { jobs } = await start(store);
  await jobs.pause('Report');
  const payload = { full: false };
  for (let n = 0; n < 120; n++)
    await jobs.schedules.upsert(`s${n}`, 'Report', { everyMs: HOUR, overlap: 'queue', payload });
  advance(HOUR - (now() % HOUR) + 1);
  await jobs.schedules.upsert('free', 'Report', { everyMs: HOUR / 2, overlap: 'allow', payload });
  await eventually(async () => (await jobs.depth('Report')) === 120);
  advance(HOUR);
  await jobs.schedules.upsert('wakes', 'Report', { everyMs: HOUR });
  await eventually(async () => (await jobs.schedules.find('free'))?.lastStatus === 'Queued');
  expect(await jobs.depth('Report')).toBe(121);
});

it('fires other schedules when one cannot be read', async () => {
  const { store, now } = aStore();
  const unreadable = { job: 'Report', timing: '{"moon":"full"}', definition: '?', nextAt: now() - 1 };
  await store.schedules.declare(
    Array.from({ length: 120 }, (_, n) => ({ ...unreadable, name: `of-a-newer-release-${n}` })),
  );
  const { jobs } = await start(store);
  await jobs.schedules.upsert('every', Report, { everyMs: 1_000, payload: { full: false } });
  (await next(1)).leave.open();
  await done(jobs, 1);
  expect((await jobs.schedules.list()).schedules.map(({ name }) => name)).toEqual(['every']);
});

it('logs a warning when a schedule never runs', async () => {
  const warn = vi.spyOn(Logger.prototype, 'warn');
  onTestFinished(() => warn.mockRestore());
  await start(aStore().store, { never: { cron: '0 0 30 2 *' } });
  await eventually(() => warn.mock.calls.some(([text]) => String(text).startsWith('Schedule never never runs')));
});

describe('JobManager.schedules', () => {
  it('creates schedules in any process, which a worker fires at once', async () => {
    const { store } = aStore();
    await start(store);
    const api = await Test.createTestingModule({
      imports: [AsyncEndpointsModule.forRoot({ store, role: 'api' })],
    }).compile();
    onTestFinished(() => api.close());
    await api.init();
    const { schedules } = api.get(JobManager);
    const made = await schedules.upsert('of-ann', Report, { everyMs: 1_000, owner: 'ann', payload: { full: true } });
    expect(made).toMatchObject({ name: 'of-ann', owner: 'ann', isDeclared: false, overlap: 'skip', missed: 'once' });
    const run = await next(1);
    expect(run).toMatchObject({ payload: { full: true }, schedule: { name: 'of-ann' } });
    const id = (await schedules.find('of-ann'))?.lastJobId as string;
    expect(await api.get(JobManager).findOwned(id, 'ann')).toMatchObject({ id, owner: 'ann' });
    expect(await schedules.remove('of-ann')).toBe(true);
    expect(await schedules.remove('of-ann')).toBe(false);
    run.leave.open();
  });

  it('triggers a job of a schedule independent of its instant', async () => {
    const { jobs } = await start(aStore().store, { daily: { cron: '@daily', payload: { full: true } } });
    const before = await jobs.schedules.find('daily');
    const job = await jobs.schedules.trigger('daily');
    expect(job).toMatchObject({ name: 'Report', status: 'Queued', priority: 3 });
    const run = await next(1);
    expect(run).toMatchObject({ payload: { full: true }, schedule: { name: 'daily' } });
    run.leave.open();
    expect(await jobs.waitFor(job.id)).toMatchObject({ status: 'Completed' });
    expect(await jobs.schedules.find('daily')).toEqual(before);
  });

  it('pauses a schedule across deployments, without jobs for the instants of the pause', async () => {
    const { store, now, advance } = aStore();
    const declared = { hourly: { cron: '0 * * * *' } } as const;
    const before = await start(store, declared);
    const { nextAt } = (await before.jobs.schedules.find('hourly')) as { nextAt: Date };
    expect(await before.jobs.schedules.pause('hourly', { by: 'ann' })).toMatchObject({ pausedBy: 'ann', nextAt: null });
    await before.close();
    advance(nextAt.getTime() - now() + HOUR + 1);
    const { jobs } = await start(store, declared);
    expect(await jobs.schedules.find('hourly')).toMatchObject({ pausedBy: 'ann', lastJobId: null });
    await jobs.schedules.resume('hourly');
    await eventually(
      async () => (await jobs.schedules.find('hourly'))?.nextAt?.getTime() === nextAt.getTime() + 2 * HOUR,
    );
    expect(runs).toEqual([]);
    expect(heard).toEqual([]);
  });

  it('lists schedules page by page', async () => {
    const { jobs } = await start(aStore().store);
    const names = Array.from({ length: 7 }, (_, n) => `s${n}`);
    for (const name of names) await jobs.schedules.upsert(name, Report, { everyMs: HOUR });
    const seen: string[] = [];
    for (let after: string | undefined | null; after !== null;) {
      const page = await jobs.schedules.list({ limit: 3, after });
      seen.push(...page.schedules.map(({ name }) => name));
      after = page.next;
    }
    expect(seen).toEqual(names);
  });

  it('rejects unknown names with SCHEDULE_NOT_FOUND, and invalid values with INVALID_OPTION', async () => {
    const { jobs } = await start(aStore().store);
    const code = (call: Promise<unknown>) =>
      call.then(
        () => null,
        (error: { code: string }) => error.code,
      );
    expect(await code(jobs.schedules.trigger('none'))).toBe('SCHEDULE_NOT_FOUND');
    expect(await code(jobs.schedules.pause('none'))).toBe('SCHEDULE_NOT_FOUND');
    expect(await code(jobs.schedules.resume('none'))).toBe('SCHEDULE_NOT_FOUND');
    expect(await jobs.schedules.find('none')).toBeNull();
    expect(await code(jobs.schedules.upsert('s', Report, { cron: 'never' }))).toBe('INVALID_OPTION');
    expect(await code(jobs.schedules.upsert('x'.repeat(201), Report, { everyMs: HOUR }))).toBe('INVALID_OPTION');
    const large = { everyMs: HOUR, payload: { full: 'x'.repeat(2_000_000) } } as never;
    expect(await code(jobs.schedules.upsert('s', Report, large))).toBe('PAYLOAD_TOO_LARGE');
  });
});

it('refuses to boot an application with schedules on a store without them', async () => {
  const store = new MemoryJobStore();
  Object.defineProperty(store, 'schedules', { value: undefined });
  await expect(start(store, { every: { everyMs: HOUR } })).rejects.toThrow('The job store keeps no schedules');
  await expect(start(store)).resolves.toBeDefined();
});
