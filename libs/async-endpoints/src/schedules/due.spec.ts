import type { ScheduleRecord } from '../store/schedules.js';
import { aJob } from '../testing/index.js';
import { decodeDefinition, encodeDefinition, jobAt } from './definition.js';
import { dueOf } from './due.js';
import type { ScheduleOptions } from './recurring.js';
import { encodeTiming, loadCroner } from './timing.js';

beforeAll(loadCroner);

const MINUTE = 60_000;
const DAY = 86_400_000;
const START = Date.parse('2026-01-05T00:00:00Z');

function aSchedule(options: ScheduleOptions, over: Partial<ScheduleRecord> = {}): ScheduleRecord {
  return {
    name: 's',
    job: 'Work',
    timing: encodeTiming({ cron: '*/10 * * * *' }, 's'),
    definition: encodeDefinition(options, true, aJob(), 's'),
    nextAt: START,
    version: 3,
    countsFrom: 0,
    lastAt: null,
    lastJobId: null,
    pausedAt: null,
    pausedBy: null,
    ...over,
  };
}

/** In minutes after the start. */
function due(options: ScheduleOptions, lateMinutes: number, over: Partial<ScheduleRecord> = {}) {
  const { firing, missed } = dueOf(aSchedule(options, over), START + lateMinutes * MINUTE);
  const minutes = (at: number | null | undefined) => (at == null ? at : (at - START) / MINUTE);
  return [minutes(firing.run?.at), minutes(firing.nextAt), missed];
}

describe('A schedule whose instant has passed', () => {
  it.each([
    ['once', 0, [0, 10, 0]],
    ['once', 9, [0, 10, 0]],
    ['once', 35, [30, 40, 3]],
    ['once', DAY / MINUTE + 5, [1440, 1450, 144]],
    ['skip', 0.9, [0, 10, 0]],
    ['skip', 5, [undefined, 10, 1]],
    ['skip', 35, [undefined, 40, 4]],
    ['skip', 30.5, [30, 40, 3]],
  ] as const)('with missed: %s, %d minutes late: job, next instant, missed', (missed, late, expected) => {
    expect(due({ missed }, late)).toEqual(expected);
  });

  it('with missed: all submits a job for each instant, one after the other', () => {
    const options = { missed: 'all', overlap: 'queue' } as const;
    expect(due(options, 35)).toEqual([0, 10, 0]);
    expect(due(options, 35, { nextAt: START + 10 * MINUTE })).toEqual([10, 20, 0]);
    expect(due(options, 35, { nextAt: START + 30 * MINUTE })).toEqual([30, 40, 0]);
  });

  it('with missed: all submits jobs for the latest hundred instants', () => {
    expect(due({ missed: 'all', overlap: 'allow', missedWithinMs: 10 * DAY }, 10 * 150)).toEqual([510, 520, 51]);
  });

  it('submits no job for instants older than missedWithinMs', () => {
    expect(due({ missedWithinMs: 15 * MINUTE }, 8)).toEqual([0, 10, 0]);
    expect(due({ missedWithinMs: 3 * MINUTE }, 8)).toEqual([undefined, 10, 1]);
  });

  it('ignores instants before the end of a pause or a change of its timing', () => {
    expect(due({}, 35, { countsFrom: START + 31 * MINUTE })).toEqual([undefined, 40, 0]);
    expect(due({}, 35, { countsFrom: START + 25 * MINUTE })).toEqual([30, 40, 0]);
  });

  it('is evaluated quickly with any number of missed instants', () => {
    const timing = encodeTiming({ cron: '* * * * * *' }, 's');
    const now = START + 400 * DAY;
    const { firing, missed } = dueOf(aSchedule({}, { timing }), now);
    expect(firing).toMatchObject({ run: { at: now }, nextAt: now + 1_000 });
    expect(missed).toBeGreaterThanOrEqual(2_000);
  });

  it('has a different job id for each instant', () => {
    const schedule = aSchedule({});
    const ids = [START, START + 1, START].map((at) => jobAt(schedule, at).id);
    expect(ids[0]).toBe(ids[2]);
    expect(new Set([...ids, jobAt({ ...schedule, name: 't' }, START).id]).size).toBe(3);
    expect(ids[0]).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-a[\da-f]{3}-[\da-f]{12}$/);
    expect(JSON.parse(jobAt(schedule, START).payload)).toMatchObject({ schedule: { name: 's', at: START } });
  });
});

describe('The definition of a schedule', () => {
  it('has defaults', () => {
    expect(decodeDefinition(aSchedule({}))).toMatchObject({ missed: 'once', missedWithinMs: DAY, overlap: 'skip' });
  });

  it.each([
    [{ missed: 'some' }, 's: missed is "some"; expected once, skip or all.'],
    [{ overlap: 'no' }, 's: overlap is "no"; expected skip, queue or allow.'],
    [{ missedWithinMs: -1 }, 's: missedWithinMs is -1; expected an integer from 0'],
    [{ missed: 'all' }, 's: missed is "all" and overlap "skip"; expected overlap "queue" or "allow"'],
  ])('refuses %j with the expected values', (options, message) => {
    expect(() => encodeDefinition(options as ScheduleOptions, true, aJob(), 's')).toThrow(message);
  });
});
