import { decodeTiming, encodeTiming, loadCroner, nextInstant, type Timing } from './timing.js';

beforeAll(loadCroner);

function instants(timing: Timing, from: string, count: number): string[] {
  const all: string[] = [];
  for (let at: number | null = Date.parse(from); all.length < count && (at = nextInstant(timing, at)) !== null;) {
    all.push(new Date(at).toISOString().slice(0, 16));
  }
  return all;
}

describe('The instants of a cron expression', () => {
  it.each([
    ['every day, in UTC', '30 2 * * *', undefined, '2026-03-28T00:00Z', ['2026-03-28T02:30', '2026-03-29T02:30']],
    [
      'a time that Zurich skips, at the end of the gap',
      '30 2 * * *',
      'Europe/Zurich',
      '2026-03-28T12:00Z',
      ['2026-03-29T01:00', '2026-03-30T00:30'],
    ],
    [
      'the first minute of the gap',
      '0 2 * * *',
      'Europe/Zurich',
      '2026-03-28T12:00Z',
      ['2026-03-29T01:00', '2026-03-30T00:00'],
    ],
    [
      'a time that Zurich has twice, once',
      '30 2 * * *',
      'Europe/Zurich',
      '2026-10-24T12:00Z',
      ['2026-10-25T00:30', '2026-10-26T01:30'],
    ],
    [
      'every hour goes on where hours are skipped',
      '0 * * * *',
      'Europe/Zurich',
      '2026-03-29T00:00Z',
      ['2026-03-29T01:00', '2026-03-29T02:00'],
    ],
    [
      'every hour goes on where hours come twice',
      '0 * * * *',
      'Europe/Zurich',
      '2026-10-24T23:00Z',
      ['2026-10-25T00:00', '2026-10-25T01:00', '2026-10-25T02:00'],
    ],
    [
      'half hours over the gap',
      '*/30 * * * *',
      'Europe/Zurich',
      '2026-03-29T00:00Z',
      ['2026-03-29T00:30', '2026-03-29T01:00', '2026-03-29T01:30'],
    ],
    [
      'a time that New York skips',
      '30 2 * * *',
      'America/New_York',
      '2026-03-07T12:00Z',
      ['2026-03-08T07:00', '2026-03-09T06:30'],
    ],
    [
      'a time that New York has twice',
      '30 1 * * *',
      'America/New_York',
      '2026-10-31T12:00Z',
      ['2026-11-01T05:30', '2026-11-02T06:30'],
    ],
    [
      'a gap of half an hour, on Lord Howe',
      '15 2 * * *',
      'Australia/Lord_Howe',
      '2026-10-02T20:00Z',
      ['2026-10-03T15:30', '2026-10-04T15:15'],
    ],
    [
      'half an hour that comes twice, on Lord Howe',
      '45 1 * * *',
      'Australia/Lord_Howe',
      '2026-04-04T00:00Z',
      ['2026-04-04T14:45', '2026-04-05T15:15'],
    ],
    [
      'a midnight that São Paulo skipped, by its past rules',
      '0 0 * * *',
      'America/Sao_Paulo',
      '2018-11-03T12:00Z',
      ['2018-11-04T03:00', '2018-11-05T02:00'],
    ],
    [
      'an hour before midnight that São Paulo had twice',
      '30 23 * * *',
      'America/Sao_Paulo',
      '2018-02-17T12:00Z',
      ['2018-02-18T01:30', '2018-02-19T02:30'],
    ],
    [
      'a zone with quarters of an hour',
      '0 0 1 1 *',
      'Asia/Kathmandu',
      '2026-03-28T00:00Z',
      ['2026-12-31T18:15', '2027-12-31T18:15'],
    ],
    ['a leap day', '0 12 29 2 *', 'UTC', '2026-03-28T00:00Z', ['2028-02-29T12:00', '2032-02-29T12:00']],
    ['seconds, as a sixth field', '30 0 3 * * *', 'UTC', '2026-03-28T00:00Z', ['2026-03-28T03:00', '2026-03-29T03:00']],
    ['a nickname', '@daily', 'Europe/Zurich', '2026-03-28T00:00Z', ['2026-03-28T23:00', '2026-03-29T22:00']],
    ['a day that no month has', '0 0 30 2 *', 'UTC', '2026-03-28T00:00Z', []],
  ])('%s', (_, cron, timeZone, from, expected) => {
    expect(instants({ cron, timeZone }, from, Math.max(expected.length, 1))).toEqual(expected);
  });

  it('do not depend on the time zone of the host', () => {
    const zone = process.env.TZ;
    onTestFinished(() => void (process.env.TZ = zone));
    process.env.TZ = 'Asia/Tokyo';
    expect(instants({ cron: '0 3 * * *' }, '2026-03-28T00:00Z', 1)).toEqual(['2026-03-28T03:00']);
  });
});

it('everyMs runs at the multiples of the interval', () => {
  expect(nextInstant({ everyMs: 5_000 }, 12_345)).toBe(15_000);
  expect(nextInstant({ everyMs: 5_000 }, 15_000)).toBe(20_000);
});

describe('A timing', () => {
  it('is stored with its time zone', () => {
    const text = encodeTiming({ cron: '0 3 * * *' }, 'Schedule "s"');
    expect(decodeTiming(text)).toEqual({ cron: '0 3 * * *', timeZone: 'UTC' });
    expect(decodeTiming(encodeTiming({ everyMs: 1_000 }, 's'))).toEqual({ everyMs: 1_000 });
  });

  it.each([
    [{ cron: 'every day' }, 'Schedule "s": cron is "every day"; expected five or six fields.'],
    [{ cron: '61 * * * *' }, 'cron is "61 * * * *"'],
    [{ cron: 7 }, 'cron is 7; expected an expression of at most 500 characters.'],
    [{ cron: '* '.repeat(300) }, 'expected an expression of at most 500 characters'],
    [{ cron: '0 3 * * *', timeZone: 'Europe/Atlantis' }, 'timeZone is "Europe/Atlantis"; expected an IANA time zone'],
    [{ cron: '0 3 * * *', timeZone: 3 }, 'timeZone is 3'],
    [{}, 'expected one of cron and everyMs'],
    [{ cron: '0 3 * * *', everyMs: 1_000 }, 'expected one of cron and everyMs'],
    [{ everyMs: 10 }, 'everyMs is 10; expected an integer from 1000'],
    [{ everyMs: 1_000, timeZone: 'UTC' }, 'timeZone belongs to cron'],
  ])('refuses %j with the expected values', (timing, message) => {
    expect(() => encodeTiming(timing as Timing, 'Schedule "s"')).toThrow(message);
  });
});
