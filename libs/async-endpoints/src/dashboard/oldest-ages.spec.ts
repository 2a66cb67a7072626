import type { QueueStats } from '../store/job-store.js';
import { OldestAges } from './oldest-ages.js';

function waiting(name: string, oldestAgeMs: number, status: QueueStats['status'] = 'Queued'): QueueStats {
  return { name, status, count: 1, bytes: 1, oldestAgeMs, isPaused: false };
}

describe('OldestAges', () => {
  it('names a queue whose oldest job waits longer and longer, from the second reading on', () => {
    const ages = new OldestAges();
    expect(ages.add(0, [waiting('Behind', 40_000), waiting('Steady', 40_000)])).toEqual([]);
    expect(ages.add(2_000, [waiting('Behind', 42_000), waiting('Steady', 40_100)])).toEqual(['Behind']);
    expect(ages.add(4_000, [waiting('Behind', 43_000), waiting('Steady', 39_900)])).toEqual(['Behind']);
  });

  it('forgets growth that is over for a minute, and a queue that is empty', () => {
    const ages = new OldestAges();
    ages.add(0, [waiting('Work', 10_000)]);
    expect(ages.add(30_000, [waiting('Work', 40_000)])).toEqual(['Work']);
    expect(ages.add(91_000, [waiting('Work', 40_000)])).toEqual([]);
    expect(ages.add(92_000, [])).toEqual([]);
    expect(ages.add(94_000, [waiting('Work', 42_000)])).toEqual([]);
  });

  it('does not mark jobs that wait for less than five seconds, or that have ended', () => {
    const ages = new OldestAges();
    ages.add(0, [waiting('Work', 0)]);
    expect(ages.add(4_000, [waiting('Work', 4_000), waiting('Running', 60_000, 'InProgress')])).toEqual([]);
    expect(ages.add(6_000, [waiting('Work', 6_000), waiting('Running', 62_000, 'InProgress')])).toEqual(['Work']);
  });
});
