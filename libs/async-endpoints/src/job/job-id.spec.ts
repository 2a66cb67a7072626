import { randomUUID } from 'node:crypto';
import { checkJobIds, newJobId, parseJobId } from './job-id.js';

describe('The id of a job', () => {
  it('is a UUID in lower case', () => {
    expect(parseJobId('6F9619FF-8B86-D011-B42D-00CF4FC964FF')).toBe('6f9619ff-8b86-d011-b42d-00cf4fc964ff');
    expect(parseJobId('00000000-0000-0000-0000-000000000000')).toBeNull();
    expect(parseJobId('17')).toBeNull();
  });

  it('is a random UUID of version 7 by default, so that later ids sort after earlier ones', () => {
    const at = Date.UTC(2026, 0, 1);
    const ids = Array.from({ length: 1_000 }, (_, ms) => newJobId(randomUUID(), at + ms));
    expect(ids.toSorted()).toEqual(ids);
    expect(ids[0]).toMatch(/^019b76da-a800-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(new Set(Array.from({ length: 1_000 }, () => newJobId(randomUUID(), at).slice(14))).size).toBe(1_000);
    expect(parseJobId(newJobId(randomUUID()))).not.toBeNull();
  });

  it('is checked by stores in batches of any size', () => {
    const jobs = Array.from({ length: 1_000 }, () => ({ id: randomUUID() as string }));
    expect(() => checkJobIds(jobs)).not.toThrow();
    expect(() => checkJobIds([])).not.toThrow();
    expect(() => checkJobIds([...jobs, { id: 'x' }])).toThrow(expect.objectContaining({ code: 'INVALID_JOB_ID' }));
  });

  it.each([
    ['two in one', (a: string, b: string) => [`${a},${b}`]],
    ['two in one beside none', (a: string, b: string) => [`${a},${b}`, '']],
    ['one cut in two', (a: string) => [a.slice(0, 18), a.slice(18)]],
    ['upper case', (a: string) => [a.toUpperCase().replace(/^./, 'A')]],
    ['a line break behind it', (a: string) => [`${a}\n`]],
    ['one that is too long beside one that is too short', (a: string, b: string) => [`${a}0`, b.slice(1)]],
  ])('is refused when it is %s', (_, idsOf) => {
    const jobs = idsOf(randomUUID(), randomUUID()).map((id) => ({ id }));
    expect(() => checkJobIds(jobs)).toThrow(expect.objectContaining({ code: 'INVALID_JOB_ID' }));
  });
});
