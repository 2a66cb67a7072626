import { EndedCounts } from './ended-counts.js';

const MINUTE = 60_000;

describe('EndedCounts', () => {
  it('counts by name and minute, and forgets what is older than 15 minutes', () => {
    let now = 100 * MINUTE;
    const counts = new EndedCounts(() => now);
    counts.count('Work', 'complete');
    counts.count('Work', 'complete');
    now += MINUTE;
    counts.count('Work', 'fail');
    counts.count('Other', 'complete');
    expect(counts.latest()).toMatchObject({ minute: 101, names: { Work: {}, Other: {} } });
    expect(counts.latest().names['Work']?.completed.slice(-3)).toEqual([0, 2, 0]);
    expect(counts.latest().names['Work']?.failed.slice(-3)).toEqual([0, 0, 1]);
    now += 14 * MINUTE;
    counts.count('Other', 'complete');
    expect(counts.latest().names['Work']).toEqual({ completed: Array(15).fill(0), failed: [1, ...Array(14).fill(0)] });
    now += MINUTE;
    expect(Object.keys(counts.latest().names)).toEqual(['Other']);
  });

  it('stays at its minute when the clock is set back', () => {
    let now = 100 * MINUTE;
    const counts = new EndedCounts(() => now);
    counts.count('Work', 'complete');
    now -= 10 * MINUTE;
    counts.count('Work', 'complete');
    expect(counts.latest()).toMatchObject({ minute: 100 });
    expect(counts.latest().names['Work']?.completed.at(-1)).toBe(2);
  });
});
