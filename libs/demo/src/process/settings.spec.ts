import { readSettings } from './settings.js';

const URL = 'redis://127.0.0.1:6379';

describe('Settings', () => {
  it('need nothing to be set for a process on its own', () => {
    expect(readSettings({}, ['all', 'api'])).toMatchObject({ port: 3000, role: 'all', redisUrl: null });
  });

  it.each([
    [{ ASYNC_STORE: 'redis', REDIS_URL: URL }, 'all', URL],
    [{ ASYNC_STORE: ' memory ', REDIS_URL: URL }, 'all', null],
    [{ ASYNC_ROLE: 'api', REDIS_URL: ` ${URL} ` }, 'api', URL],
    [{ ASYNC_ROLE: '', ASYNC_STORE: '', PORT: ' ' }, 'all', null],
    [
      { ASYNC_STORE: 'redis', REDIS_URL: 'rediss://user:secret@host:6380/2' },
      'all',
      'rediss://user:secret@host:6380/2',
    ],
  ])('of an API, %j', (env, role, redisUrl) => {
    expect(readSettings(env, ['all', 'api'])).toMatchObject({ port: 3000, role, redisUrl });
  });

  it('of a worker', () => {
    const env = { REDIS_URL: URL, ASYNC_WORKER_CONCURRENCY: '4', ASYNC_LEASE_MS: '1000', ASYNC_SWEEP_MS: '200' };
    expect(readSettings(env, ['worker'])).toEqual({
      port: 3001,
      role: 'worker',
      redisUrl: URL,
      worker: { maximumConcurrency: 4, leaseMs: 1000, drainTimeoutMs: undefined },
      recovery: { sweepIntervalMs: 200 },
    });
  });

  it.each([
    [{ ASYNC_STORE: 'sql' }, 'ASYNC_STORE is "sql"; expected memory or redis.'],
    [{ ASYNC_ROLE: 'api', ASYNC_STORE: 'memory' }, 'ASYNC_STORE is "memory"; expected redis.'],
    [{ ASYNC_ROLE: 'worker' }, 'ASYNC_ROLE is "worker"; expected all or api.'],
    [{ ASYNC_LEASE_MS: '15s' }, 'ASYNC_LEASE_MS is "15s"; expected a whole number.'],
    [{ ASYNC_STORE: 'redis' }, 'REDIS_URL is missing; expected something like redis://127.0.0.1:6379.'],
  ])('are refused in words: %j', (env, message) => {
    expect(() => readSettings(env, ['all', 'api'])).toThrow(new RangeError(message));
  });

  it.each(['localhost:6379', 'http://localhost', 'redis:', 'redis://', 'redis://a:b:c'])(
    'do not take %s for the URL of a Redis, nor show it',
    (url) => {
      expect(() => readSettings({ REDIS_URL: url }, ['worker'])).toThrow(
        new RangeError('REDIS_URL is no URL of a Redis; expected something like redis://127.0.0.1:6379.'),
      );
    },
  );
});
