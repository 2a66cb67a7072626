import * as lifecycle from '../../job/lifecycle.js';
import { aJob } from '../../testing/index.js';
import { JobIndex } from './job-index.js';

describe('A paused name in the memory store', () => {
  it('has no next scheduledAt, so that no timer runs for it', () => {
    const jobs = new JobIndex(60_000, Infinity);
    jobs.add(lifecycle.submit(aJob({ delayMs: 1_000 }), 0), '');
    expect(jobs.nextScheduledAt(['Work'])).toBe(1_000);
    jobs.pause('Work', 0, null);
    expect(jobs.nextScheduledAt(['Work'])).toBe(Infinity);
    jobs.resume('Work');
    expect(jobs.nextScheduledAt(['Work'])).toBe(1_000);
  });
});
