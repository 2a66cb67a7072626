import { HttpException } from '@nestjs/common';
import { PermanentJobError, RetryJobError } from './errors.js';
import { decideRetry, retryDelayMs, type RetryPolicy } from './retry.js';

const POLICY: RetryPolicy = {
  retryCurve: 'exponential',
  retryDelayBaseMs: 2_000,
  maxRetryDelayMs: 3_600_000,
  retryJitter: 0,
};

function delays(policy: Partial<RetryPolicy>, retries = [1, 2, 3]): number[] {
  return retries.map((retry) => retryDelayMs(retry, { ...POLICY, ...policy }));
}

describe('The delay before a retry', () => {
  it('is 4, 8 and 16 seconds by default, as in the reference system', () => {
    expect(delays({})).toEqual([4_000, 8_000, 16_000]);
  });

  it('follows the other curves', () => {
    expect(delays({ retryCurve: 'linear' })).toEqual([2_000, 4_000, 6_000]);
    expect(delays({ retryCurve: 'fixed' })).toEqual([2_000, 2_000, 2_000]);
    expect(delays({ retryCurve: (retry) => retry * 7 })).toEqual([7, 14, 21]);
  });

  it('is at most the cap, after any number of retries', () => {
    expect(delays({}, [12, 37, 1_000, 5_000])).toEqual([3_600_000, 3_600_000, 3_600_000, 3_600_000]);
  });

  it.each([[() => Number.NaN], [() => -1], [() => Infinity], [() => 'soon' as never]])(
    'is the cap when the curve returns no valid duration (%s)',
    (retryCurve) => expect(delays({ retryCurve }, [1])).toEqual([3_600_000]),
  );

  it('is the cap when the curve throws', () => {
    const retryCurve = () => {
      throw new Error('typo');
    };
    expect(delays({ retryCurve }, [1])).toEqual([3_600_000]);
  });

  it('is only shortened by jitter', () => {
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

  it('fails at once with a PermanentJobError', () => {
    expect(decideRetry(new PermanentJobError('x'), job, POLICY).verb).toBe('fail');
  });

  it('is retried after the delay of a RetryJobError, within maxRetries', () => {
    expect(decideRetry(new RetryJobError('x', 123.4), job, POLICY)).toMatchObject({ verb: 'retry', delayMs: 123 });
    expect(decideRetry(new RetryJobError('x', Number.NaN), job, POLICY)).toMatchObject({ delayMs: 4_000 });
    expect(decideRetry(new RetryJobError('x', 1), { ...job, retryCount: 1 }, POLICY).verb).toBe('fail');
  });

  it.each([400, 401, 403, 404, 409, 410, 422])('of an HTTP exception with status %s fails at once', (status) => {
    expect(decideRetry(new HttpException('no', status), job, POLICY).verb).toBe('fail');
  });

  it.each([408, 425, 429, 500, 502, 503])('of an HTTP exception with status %s is retried', (status) => {
    expect(decideRetry(new HttpException('later', status), job, POLICY)).toMatchObject({ delayMs: 4_000 });
  });

  it.each([
    ['a header', Object.assign(new HttpException('later', 429), { headers: { 'retry-after': '7' } }), 7_000],
    ['its body', new HttpException({ message: 'later', retryAfter: 8 }, 503), 8_000],
    ['a property', Object.assign(new HttpException('later', 429), { retryAfter: 9 }), 9_000],
    ['nothing that can be read', Object.assign(new HttpException('later', 429), { retryAfter: 'soon' }), 4_000],
    ['an endless time', Object.assign(new HttpException('later', 429), { retryAfter: 1e300 }), 315_360_000_000],
  ])('of an HTTP exception waits as long as %s says', (_where, thrown, delayMs) => {
    expect(decideRetry(thrown, job, POLICY)).toMatchObject({ verb: 'retry', delayMs });
  });

  it('of an HTTP exception waits until the date that it names', () => {
    const headers = { 'Retry-After': new Date(Date.now() + 3_600_000).toUTCString() };
    const outcome = decideRetry(Object.assign(new HttpException('later', 503), { headers }), job, POLICY);
    expect(outcome.verb === 'retry' && outcome.delayMs).toBeGreaterThan(3_500_000);
  });
});
