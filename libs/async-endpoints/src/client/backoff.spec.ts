import * as fc from 'fast-check';
import { backoffMs, readRetryAfter } from './backoff.js';

const PATIENCE = { limit: 5, baseDelayMs: 500, maxDelayMs: 60_000 };

describe('The delay before a repeat', () => {
  it('doubles, less a random half', () => {
    const longest = [1, 2, 3, 4].map((failures) => backoffMs(failures, null, PATIENCE, () => 0));
    const shortest = [1, 2, 3, 4].map((failures) => backoffMs(failures, null, PATIENCE, () => 1));
    expect(longest).toEqual([500, 1_000, 2_000, 4_000]);
    expect(shortest).toEqual([250, 500, 1_000, 2_000]);
  });

  it('is at most maxDelayMs and at least Retry-After', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), fc.nat(60_000), (failures, askedMs) => {
        const delayMs = backoffMs(failures, askedMs, PATIENCE);
        expect(delayMs).toBeGreaterThanOrEqual(askedMs);
        expect(delayMs).toBeLessThanOrEqual(60_000);
      }),
    );
  });

  it('is null when Retry-After is longer than maxDelayMs', () => {
    expect(backoffMs(1, 60_001, PATIENCE)).toBeNull();
  });
});

describe('Retry-After', () => {
  const now = Date.parse('2026-11-23T10:00:00Z');
  it.each([
    ['7', 7_000],
    [' 0 ', 0],
    ['Mon, 23 Nov 2026 10:00:05 GMT', 5_000],
    ['Mon, 23 Nov 2026 09:00:00 GMT', 0],
    ['-1', null],
    ['1.5', null],
    ['soon', null],
    [undefined, null],
  ])('%s is %s ms', (value, ms) => {
    expect(readRetryAfter(new Headers(value === undefined ? {} : { 'Retry-After': value }), () => now)).toBe(ms);
  });
});
