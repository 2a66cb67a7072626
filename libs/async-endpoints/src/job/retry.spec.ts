import { PermanentJobError, RetryJobError } from './errors.js';
import { decideRetry, retryDelayMs, type RetryPolicy } from './retry.js';

const POLICY: RetryPolicy = {
  retryCurve: 'exponential',
  retryDelayBaseSeconds: 2,
  maxRetryDelayMs: 3_600_000,
  retryJitter: 0,
};

function delays(policy: Partial<RetryPolicy>, retries = [1, 2, 3]): number[] {
  return retries.map((retry) => retryDelayMs(retry, { ...POLICY, ...policy }));
}

describe('The delay before a retry', () => {
  it('is 4, 8 and 16 seconds by default, as in the reference system (N-26)', () => {
    expect(delays({})).toEqual([4_000, 8_000, 16_000]);
  });

  it('follows the other curves', () => {
    expect(delays({ retryCurve: 'linear' })).toEqual([2_000, 4_000, 6_000]);
    expect(delays({ retryCurve: 'fixed' })).toEqual([2_000, 2_000, 2_000]);
    expect(delays({ retryCurve: (retry) => retry * 7 })).toEqual([7, 14, 21]);
  });

  it('is never longer than the cap, however many retries there were (D-38)', () => {
    expect(delays({}, [12, 37, 1_000, 5_000])).toEqual([3_600_000, 3_600_000, 3_600_000, 3_600_000]);
  });

  it.each([[() => Number.NaN], [() => -1], [() => Infinity], [() => 'soon' as never]])(
    'is the cap when the curve gives no duration (%s)',
    (retryCurve) => expect(delays({ retryCurve }, [1])).toEqual([3_600_000]),
  );

  it('is the cap when the curve throws: a mistake there must not strand the job', () => {
    const retryCurve = () => {
      throw new Error('typo');
    };
    expect(delays({ retryCurve }, [1])).toEqual([3_600_000]);
  });

  it('is spread by jitter, downwards only (D-38)', () => {
    const jittered = (random: number) => retryDelayMs(1, { ...POLICY, retryJitter: 0.5 }, () => random);
    expect([jittered(0), jittered(0.5), jittered(1)]).toEqual([4_000, 3_000, 2_000]);
  });
});

describe('A failed attempt', () => {
  const job = { retryCount: 0, maxRetries: 1 };

  it('is retried while retries are left, and then fails', () => {
    expect(decideRetry(new Error('x'), job, POLICY)).toMatchObject({ verb: 'retry', delayMs: 4_000 });
    expect(decideRetry(new Error('x'), { ...job, retryCount: 1 }, POLICY).verb).toBe('fail');
  });

  it('fails at once with a PermanentJobError (D-28)', () => {
    expect(decideRetry(new PermanentJobError('x'), job, POLICY).verb).toBe('fail');
  });

  it('is retried when a RetryJobError says, but no oftener than others', () => {
    expect(decideRetry(new RetryJobError('x', 123.4), job, POLICY)).toMatchObject({ verb: 'retry', delayMs: 123 });
    expect(decideRetry(new RetryJobError('x', Number.NaN), job, POLICY)).toMatchObject({ delayMs: 4_000 });
    expect(decideRetry(new RetryJobError('x', 1), { ...job, retryCount: 1 }, POLICY).verb).toBe('fail');
  });
});
