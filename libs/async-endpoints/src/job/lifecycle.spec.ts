import { aJob } from '../testing/index.js';
import { isTerminal, JOB_STATUSES, type JobRecord, type JobStatus } from './job.js';
import * as lifecycle from './lifecycle.js';

const by = { worker: 'w', leaseMs: 1_000 };
const error = { code: 'E', message: 'm' };

/** A job brought into each status by legal steps. */
function jobIn(status: JobStatus): JobRecord {
  const job = lifecycle.submit(aJob({ delayMs: status === 'Scheduled' ? 10 : 0 }), 1);
  if (status === 'Queued' || status === 'Scheduled') return job;
  if (status === 'Canceled') return lifecycle.cancel(job, 2);
  const running = lifecycle.claim(job, by, 2);
  if (status === 'InProgress') return running;
  return lifecycle.settle(
    running,
    status === 'Completed' ? { verb: 'complete', result: null } : { verb: 'fail', error },
    3,
  );
}

const STEPS: Record<string, (job: JobRecord) => JobRecord> = {
  claim: (job) => lifecycle.claim(job, by, 9),
  renew: (job) => lifecycle.renew(job, { leaseMs: 1 }, 9),
  complete: (job) => lifecycle.settle(job, { verb: 'complete', result: '1' }, 9),
  retry: (job) => lifecycle.settle(job, { verb: 'retry', delayMs: 5, error }, 9),
  fail: (job) => lifecycle.settle(job, { verb: 'fail', error }, 9),
  release: (job) => lifecycle.settle(job, { verb: 'release' }, 9),
  cancel: (job) => lifecycle.cancel(job, 9),
  recover: (job) => lifecycle.recover(job, { maxCrashes: 3 }, 9),
  rerun: (job) => lifecycle.rerun(job, 9),
};

describe('The lifecycle', () => {
  it.each(Object.keys(STEPS).flatMap((verb) => JOB_STATUSES.map((status) => [verb, status] as const)))(
    '%s from %s follows the table',
    (verb, status) => {
      const row = lifecycle.LIFECYCLE[verb as lifecycle.Verb];
      const step = () => (STEPS[verb] as (job: JobRecord) => JobRecord)(jobIn(status));
      if (!(row.from as readonly JobStatus[]).includes(status)) return expect(step).toThrow(`${verb} needs`);
      expect(row.to).toContain(step().status);
    },
  );

  it.each(Object.entries(lifecycle.LIFECYCLE).filter(([, row]) => row.claim !== null && row.claim !== 'needs'))(
    '%s creates a larger fence, so that earlier fences are rejected',
    (verb) => {
      const before = jobIn(verb === 'claim' ? 'Queued' : 'InProgress');
      expect(STEPS[verb]?.(before).fence).toBe(before.fence + 1);
    },
  );

  it('gives terminal jobs, and no others, completedAt and the end of their retention', () => {
    for (const status of JOB_STATUSES) {
      const job = jobIn(status);
      expect(job.completedAt !== null).toBe(isTerminal(status));
      expect(lifecycle.purgeableAt(job) !== null).toBe(isTerminal(status));
    }
    expect(lifecycle.purgeableAt(jobIn('Canceled'))).toBe(2 + aJob().retention.canceledMs);
  });

  it('returns new records and changes none', () => {
    const job = jobIn('InProgress');
    expect(Object.isFrozen(job)).toBe(true);
    expect(lifecycle.settle(job, { verb: 'release' }, 9).version).toBe(job.version + 1);
    expect(job.status).toBe('InProgress');
  });
});
