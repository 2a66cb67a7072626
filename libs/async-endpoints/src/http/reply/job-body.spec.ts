import * as fc from 'fast-check';
import { JOB_STATUSES, type JobRecord } from '../../job/job.js';
import { submit } from '../../job/lifecycle.js';
import { aJob } from '../../testing/a-job.js';
import { JobBody } from './job-body.js';

const text = fc.string({ unit: 'binary' });
const time = fc.integer({ min: 0, max: 2 ** 42 });
const timeOrNull = fc.option(time);
const error = fc.record(
  { code: text, message: text, details: fc.jsonValue(), internal: fc.boolean() },
  { requiredKeys: ['code', 'message'] },
);
const attempt = fc.record({
  number: fc.nat(),
  worker: text,
  startedAt: time,
  endedAt: time,
  outcome: fc.constantFrom('retry' as const, 'fail' as const, 'crash' as const),
  error,
});
const records: fc.Arbitrary<Partial<JobRecord>> = fc.record({
  id: fc.uuid(),
  name: text,
  status: fc.constantFrom(...JOB_STATUSES),
  retryCount: fc.nat(),
  maxRetries: fc.nat(),
  createdAt: time,
  startedAt: timeOrNull,
  completedAt: timeOrNull,
  lastUpdatedAt: time,
  progress: fc.option(fc.record({ fraction: fc.double({ min: 0, max: 1 }), message: fc.option(text) })),
  result: fc.option(fc.jsonValue().map((value) => JSON.stringify(value))),
  error: fc.option(error),
  failedAttempts: fc.array(attempt, { maxLength: 2 }),
});

describe('The body with a job', () => {
  it('has the text that JSON.stringify writes of its value', () => {
    const links = fc.record({ self: fc.webPath(), result: fc.webPath(), events: fc.webPath() });
    fc.assert(
      fc.property(records, links, fc.boolean(), (record, paths, showsAttempts) => {
        const body = new JobBody({ ...submit(aJob(), 0), ...record }, paths, showsAttempts);
        expect(body.text).toBe(JSON.stringify(body.value));
      }),
    );
  });
});
