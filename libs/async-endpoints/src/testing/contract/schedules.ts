import assert from 'node:assert/strict';
import type { NewJob } from '../../job/job.js';
import {
  type Firing,
  type NewSchedule,
  SCHEDULE_CHANGES,
  type ScheduleRecord,
  type ScheduleStore,
} from '../../store/schedules.js';
import { aJob } from '../a-job.js';
import { eventually } from '../gate.js';
import { claimOne, only, type Subject } from './subject.js';
import type { TestFramework } from './test-framework.js';

const NO_LIMIT = { queueLimit: 1_000_000 };

function aSchedule(over: Partial<NewSchedule> = {}): NewSchedule {
  return { name: 'nightly', job: 'Work', timing: 't', definition: '{"a":1}', nextAt: 1_000_100, ...over };
}

function firing(schedule: ScheduleRecord, over: Partial<Firing> & { job?: NewJob } = {}): Firing {
  const { job = aJob(), ...rest } = over;
  const at = schedule.nextAt as number;
  return {
    name: schedule.name,
    version: schedule.version,
    nextAt: at + 100,
    run: { at, job },
    overlap: 'allow',
    ...rest,
  };
}

export function describeSchedules(subject: Subject, { describe, ...framework }: TestFramework): void {
  const stored = () => subject.store.schedules as ScheduleStore;
  const it = (title: string, test: () => Promise<void>) =>
    framework.it(title, async () => {
      if (subject.store.schedules) await test();
    });
  const declare = async (over: Partial<NewSchedule> = {}) => only(await stored().declare([aSchedule(over)]));
  const found = async (name = 'nightly') => {
    const schedule = only(await stored().find([name]));
    assert.ok(schedule, `schedule ${name} is gone`);
    return schedule;
  };
  const fire = async (one: Firing, limits = NO_LIMIT) => only(await stored().fire([one], limits));
  const dueNames = async (limit = 10) => (await stored().next(['Work'], limit)).schedules.map(({ name }) => name);

  describe('schedules', () => {
    it('are stored as declared, and keep their version when declared again without a change', async () => {
      const schedule = await declare();
      const fresh = { version: 1, lastAt: null, lastJobId: null, pausedAt: null, pausedBy: null };
      assert.deepEqual(schedule, { ...aSchedule(), ...fresh, countsFrom: schedule.countsFrom });
      await subject.advance(10);
      assert.deepEqual(await declare({ nextAt: 7 }), schedule);
      assert.deepEqual(await found(), schedule);
      assert.deepEqual(await stored().find(['none', 'nightly']), [null, schedule]);
    });

    it('count from now when their timing changes, and keep their next instant when it does not', async () => {
      const schedule = await declare();
      await subject.advance(10);
      const changed = await declare({ definition: '{"a":2}', nextAt: 7 });
      assert.deepEqual(changed, { ...schedule, definition: '{"a":2}', version: 2 });
      const timed = await declare({ definition: '{"a":2}', timing: 'u', nextAt: 2_000_000 });
      const countsFrom = schedule.countsFrom + 10;
      assert.deepEqual(timed, { ...changed, timing: 'u', nextAt: 2_000_000, countsFrom, version: 3 });
    });

    it('keep their last run and their pause when they change', async () => {
      const schedule = await declare();
      const fired = await fire(firing(schedule));
      await stored().pause(['nightly'], 'ann');
      const changed = await declare({ timing: 'u', nextAt: 2_000_000 });
      const id = fired.outcome === 'fired' ? fired.job.id : null;
      assert.deepEqual([changed.lastAt, changed.lastJobId, changed.pausedBy], [1_000_100, id, 'ann']);
    });

    it('are listed in the order of their names, page by page, and removed', async () => {
      const names = ['b', 'a', 'd', 'c', 'e'];
      await stored().declare(names.map((name) => aSchedule({ name })));
      const first = await stored().list({ limit: 2 });
      const rest = await stored().list({ limit: 9, after: first[1]?.name });
      assert.deepEqual(
        [...first, ...rest].map(({ name }) => name),
        names.toSorted(),
      );
      assert.deepEqual(await stored().remove(['c', 'none']), [true, false]);
      assert.deepEqual(
        (await stored().list({ limit: 9 })).map(({ name }) => name),
        ['a', 'b', 'd', 'e'],
      );
      assert.deepEqual((await dueNames(9)).toSorted(), ['a', 'b', 'd', 'e']);
    });

    it('are returned by next in the order of their instants, for the given jobs only', async () => {
      await stored().declare([
        aSchedule({ name: 'late', nextAt: 3_000_000 }),
        aSchedule({ name: 'soon', nextAt: 1_000_050 }),
        aSchedule({ name: 'never', nextAt: null }),
        aSchedule({ name: 'other', job: 'Other', nextAt: 1 }),
      ]);
      const { now, schedules } = await stored().next(['Work', 'None'], 10);
      assert.deepEqual(
        schedules.map(({ name }) => name),
        ['soon', 'late'],
      );
      assert.equal(now, schedules[0]?.countsFrom);
      assert.deepEqual(await dueNames(1), ['soon']);
      assert.deepEqual(
        (await stored().next(['Other', 'Work'], 2)).schedules.map(({ name }) => name),
        ['other', 'soon'],
      );
    });
  });

  describe('a firing', () => {
    it('inserts the job and advances the schedule in one step', async () => {
      const schedule = await declare();
      const fired = await fire(firing(schedule));
      assert.equal(fired.outcome, 'fired');
      const { job, fence } = await claimOne(subject.store);
      const next = { nextAt: 1_000_200, lastAt: 1_000_100, lastJobId: job.id, version: 2 };
      assert.deepEqual(await found(), { ...schedule, ...next });
      assert.equal(fence, 1);
      assert.deepEqual(await dueNames(), ['nightly']);
    });

    it('does nothing when the schedule was advanced, changed, paused or removed', async () => {
      const schedule = await declare();
      await fire(firing(schedule));
      assert.deepEqual(await fire(firing(schedule)), { outcome: 'lost' });
      const changed = await declare({ definition: '{}' });
      assert.deepEqual(await fire(firing({ ...changed, version: changed.version - 1 })), { outcome: 'lost' });
      const paused = only(await stored().pause(['nightly'], null)) as ScheduleRecord;
      assert.deepEqual(await fire(firing(paused)), { outcome: 'lost' });
      await stored().remove(['nightly']);
      assert.deepEqual(await fire(firing(paused)), { outcome: 'lost' });
      assert.equal(
        (await subject.store.stats()).reduce((sum, { count }) => sum + count, 0),
        1,
      );
    });

    it('happens once under concurrent firings', async () => {
      const schedule = await declare();
      const all = await Promise.all(Array.from({ length: 20 }, () => fire(firing(schedule))));
      assert.deepEqual(all.map(({ outcome }) => outcome).toSorted(), ['fired', ...Array<string>(19).fill('lost')]);
      assert.equal((await subject.store.stats())[0]?.count, 1);
    });

    it('returns an outcome for each element of a batch, in order', async () => {
      const [one, two] = await stored().declare([aSchedule({ name: 'one' }), aSchedule({ name: 'two', job: 'Other' })]);
      assert.ok(one && two);
      const firings = [firing(one), firing({ ...one, name: 'none' }), firing(two, { job: aJob({ name: 'Other' }) })];
      assert.deepEqual(
        (await stored().fire(firings, NO_LIMIT)).map(({ outcome }) => outcome),
        ['fired', 'lost', 'fired'],
      );
      assert.deepEqual((await subject.store.stats()).map(({ name }) => name).toSorted(), ['Other', 'Work']);
    });

    it('can advance a schedule without a job', async () => {
      const schedule = await declare();
      assert.deepEqual(await fire(firing(schedule, { run: null, nextAt: null })), { outcome: 'moved' });
      assert.deepEqual(await found(), { ...schedule, nextAt: null, version: 2 });
      assert.deepEqual(await dueNames(), []);
    });

    it('inserts no job while the last one is not terminal, and advances the schedule or waits', async () => {
      await fire(firing(await declare()));
      assert.deepEqual(await fire(firing(await found(), { overlap: 'queue' })), { outcome: 'unfinished' });
      const { job, fence } = await claimOne(subject.store);
      const before = await found();
      assert.deepEqual(await fire(firing(before, { overlap: 'skip' })), { outcome: 'skipped' });
      assert.deepEqual(await found(), { ...before, nextAt: 1_000_300, version: before.version + 1 });
      assert.deepEqual(await fire(firing(await found(), { overlap: 'queue' })), { outcome: 'unfinished' });
      await subject.store.settle([{ id: job.id, name: 'Work', fence, verb: 'complete', result: null }]);
      assert.equal((await fire(firing(await found(), { overlap: 'queue' }))).outcome, 'fired');
      assert.equal((await fire(firing(await found(), { overlap: 'allow' }))).outcome, 'fired');
    });

    it('does nothing when a queue limit is reached', async () => {
      const schedule = await declare();
      await subject.store.submit([aJob()], NO_LIMIT);
      assert.deepEqual(await fire(firing(schedule), { queueLimit: 1 }), { outcome: 'refused' });
      assert.deepEqual(await found(), schedule);
    });

    it('with the id of an existing job advances the schedule without another job', async () => {
      const job = aJob({ fingerprint: null });
      const first = await fire(firing(await declare(), { job }));
      await stored().remove(['nightly']);
      assert.deepEqual(await fire(firing(await declare(), { job })), first);
      assert.equal((await subject.store.stats())[0]?.count, 1);
      assert.equal((await found()).version, 2);
    });

    it('does not depend on how long the job is kept', async () => {
      const retention = { completedMs: 0, failedMs: 0, canceledMs: 0 };
      const schedule = await declare();
      await fire(firing(schedule, { job: aJob({ retention }) }));
      const { job, fence } = await claimOne(subject.store);
      await subject.store.settle([{ id: job.id, name: 'Work', fence, verb: 'complete', result: null }]);
      await subject.store.purge(10);
      assert.deepEqual(await fire(firing(schedule)), { outcome: 'lost' });
      assert.equal((await fire(firing(await found(), { overlap: 'skip' }))).outcome, 'fired');
    });
  });

  describe('a paused schedule', () => {
    it('has no next instant; after a resume, earlier instants do not count', async () => {
      const schedule = await declare();
      await subject.advance(50);
      const paused = only(await stored().pause(['nightly'], 'ann'));
      const pausedAt = schedule.countsFrom + 50;
      assert.deepEqual(paused, { ...schedule, pausedAt, pausedBy: 'ann', version: 2 });
      assert.deepEqual(only(await stored().pause(['nightly'], 'bob')), paused);
      assert.deepEqual(await dueNames(), []);
      await subject.advance(50);
      const resumed = only(await stored().resume(['nightly']));
      assert.deepEqual(resumed, { ...schedule, countsFrom: pausedAt + 50, version: 3 });
      assert.deepEqual(only(await stored().resume(['nightly'])), resumed);
      assert.deepEqual(await dueNames(), ['nightly']);
      assert.deepEqual(await stored().pause(['none'], null), [null]);
    });
  });

  describe('changes of schedules', () => {
    it('are published as a revocation of a reserved worker id', async () => {
      let heard = 0;
      const stop = await subject.store.subscribe({ worker: SCHEDULE_CHANGES }, () => heard++);
      const next = async (change: () => Promise<unknown>) => {
        const before = heard;
        await change();
        await eventually(() => heard > before);
      };
      await next(() => declare());
      await next(() => stored().pause(['nightly'], null));
      await next(() => stored().resume(['nightly']));
      await next(() => stored().remove(['nightly']));
      stop();
    });
  });
}
