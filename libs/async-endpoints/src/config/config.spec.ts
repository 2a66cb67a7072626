import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { AsyncEndpointsError } from '../job/errors.js';
import { type ConfigOptions, readSettings } from './read-settings.js';
import { SETTINGS } from './settings.js';

let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'async-endpoints-config-'));
});

afterEach(() => rmSync(cwd, { recursive: true }));

function file(path: string, content: unknown): string {
  const at = join(cwd, path);
  mkdirSync(dirname(at), { recursive: true });
  writeFileSync(at, typeof content === 'string' ? content : JSON.stringify(content));
  return at;
}

function read(options: ConfigOptions = {}) {
  return readSettings({ cwd, env: {}, ...options });
}

function mistakes(options: ConfigOptions): string[] {
  try {
    read(options);
  } catch (error) {
    if (error instanceof AsyncEndpointsError) return error.details['mistakes'] as string[];
    throw error;
  }
  throw new Error('Nothing was refused.');
}

const env = (variables: Record<string, string>) => mistakes({ env: variables });

describe('The sources of a configuration', () => {
  it('override earlier ones: defaults, file, .env, environment, overrides', () => {
    const named = (workerId: string) => ({ worker: { workerId } });
    const options: ConfigOptions = {};
    expect(read(options).worker?.workerId).toContain(String(process.pid));
    options.defaults = named('defaults');
    expect(read(options).worker?.workerId).toBe('defaults');
    file('config/development.json', { asyncEndpoints: named('file') });
    expect(read(options).worker?.workerId).toBe('file');
    file('.env', 'ASYNC_WORKER_ID=dotenv\n');
    expect(read(options).worker?.workerId).toBe('dotenv');
    options.env = { ASYNC_WORKER_ID: 'environment' };
    expect(read(options).worker?.workerId).toBe('environment');
    options.overrides = named('overrides');
    expect(read(options).worker?.workerId).toBe('overrides');
  });

  it('include the file of NODE_ENV, or the one that ASYNC_CONFIG_FILE names, also in .env', () => {
    file('config/production.json', { Logging: {}, asyncEndpoints: { role: 'all', jobs: { timeoutMs: 1 } } });
    const mounted = file('etc/app.json', { asyncEndpoints: { jobs: { timeoutMs: 2 } } });
    expect(read({ env: { NODE_ENV: 'production' } }).jobs?.timeoutMs).toBe(1);
    expect(read({ env: { NODE_ENV: 'production', ASYNC_CONFIG_FILE: mounted } }).jobs?.timeoutMs).toBe(2);
    file('.env', 'ASYNC_CONFIG_FILE=etc/app.json');
    expect(read().jobs?.timeoutMs).toBe(2);
  });

  it('can each set every option that has a text form', () => {
    const texts = [...SETTINGS.values()].filter(({ variable }) => variable);
    expect(new Set(texts.map(({ variable }) => variable)).size).toBe(texts.length);
    expect(
      texts.every(({ variable }) => /^(ASYNC_[A-Z_]+|REDIS_URL|POSTGRES_URL|SQLITE_PATH)$/.test(variable as string)),
    ).toBe(true);
  });

  it('ignore empty variables, and count variables that ConfigModule copied from .env once', () => {
    file('.env', 'ASYNC_QUEUE_SIZE=many');
    expect(mistakes({ env: { ASYNC_QUEUE_SIZE: 'many', ASYNC_ROLE: ' ' } })).toEqual([
      'ASYNC_QUEUE_SIZE in .env is "many"; expected an integer from 1 to 9007199254740991 (jobs.maxQueueSize)',
    ]);
  });

  it('can name a mounted file with a secret', () => {
    file('redis-url', 'redis://:secret@host:6379\n');
    expect(read({ env: { REDIS_URL_FILE: 'redis-url' } })).toMatchObject({
      store: 'redis',
      redis: { url: 'redis://:secret@host:6379' },
    });
    // The other password that the server accepts while passwords are rotated.
    file('redis-password', 'first\r\nsecond\n');
    expect(read({ env: { REDIS_URL: 'redis://host', ASYNC_REDIS_PASSWORD_FILE: 'redis-password' } })).toMatchObject({
      redis: { password: 'first' },
    });
    file('postgres-url', 'postgresql:///database?host=/run/postgresql\n');
    const inFiles = { POSTGRES_URL_FILE: 'postgres-url', ASYNC_POSTGRES_PASSWORD_FILE: 'redis-password' };
    expect(read({ env: inFiles }).postgres).toMatchObject({
      url: 'postgresql:///database?host=/run/postgresql',
      password: 'first',
    });
    expect(env({ ASYNC_STORE: 'redis', REDIS_URL_FILE: 'nowhere' })).toEqual([
      'REDIS_URL_FILE in the environment names nowhere, which cannot be read (ENOENT)',
      'REDIS_URL (redis.url) is missing; expected something like redis://127.0.0.1:6379, redis+cluster://host:6379,host:6379 or redis+sentinel://host:26379/name',
    ]);
  });

  it('default to the store that has a URL or a path, which roles other than all require', () => {
    expect(read().store).toBe('memory');
    expect(read({ env: { REDIS_URL: 'redis://host' } }).store).toBe('redis');
    expect(read({ env: { REDIS_URL: 'redis://host', ASYNC_STORE: ' memory ' } }).store).toBe('memory');
    expect(read({ env: { SQLITE_PATH: 'jobs.db' } })).toMatchObject({ store: 'sqlite', sqlite: { path: 'jobs.db' } });
    expect(read({ env: { SQLITE_PATH: 'jobs.db', ASYNC_ROLE: 'worker' } }).store).toBe('sqlite');
    expect(read({ env: { SQLITE_PATH: 'jobs.db', REDIS_URL: 'redis://host' } }).store).toBe('redis');
    const POSTGRES_URL = 'postgres://user@host/database';
    expect(read({ env: { POSTGRES_URL, ASYNC_ROLE: 'api', SQLITE_PATH: 'jobs.db' } })).toMatchObject({
      store: 'postgres',
      postgres: { url: POSTGRES_URL },
    });
    expect(read({ env: { POSTGRES_URL, REDIS_URL: 'redis://host' } }).store).toBe('redis');
    expect(env({ ASYNC_STORE: 'postgres' })).toEqual([
      'POSTGRES_URL (postgres.url) is missing; expected something like postgres://user@host:5432/database',
    ]);
    expect(env({ ASYNC_STORE: 'sqlite' })).toEqual([
      'SQLITE_PATH (sqlite.path) is missing; expected a text of 1 to 4096 characters',
    ]);
    expect(env({ ASYNC_ROLE: 'api' })).toEqual([
      'REDIS_URL (redis.url) is missing; expected something like redis://127.0.0.1:6379, redis+cluster://host:6379,host:6379 or redis+sentinel://host:26379/name',
    ]);
    expect(env({ ASYNC_ROLE: 'worker', ASYNC_STORE: 'memory' })).toEqual([
      'ASYNC_STORE in the environment is "memory"; expected redis, postgres or sqlite: other processes cannot see the memory of role worker (store)',
    ]);
  });
});

describe('The names of the seed', () => {
  /** Every name of its settings, as the page of the seed has them. */
  const appsettings = {
    Logging: { LogLevel: { Default: 'Warning', AsyncEndpoints: 'Information' } },
    ConnectionStrings: { Redis: 'redis-cluster-endpoint:6379,password=your-redis-password' },
    AsyncEndpoints: {
      WorkerConfigurations: {
        MaximumConcurrency: 8,
        MaximumQueueSize: 2000,
        PollingIntervalMs: 3000,
        JobTimeoutMinutes: 120,
      },
      JobManagerConfiguration: {
        DefaultMaxRetries: 5,
        RetryDelayBaseSeconds: 2.0,
        MaxConcurrentJobs: 100,
        JobPollingIntervalMs: 1000,
        MaxClaimBatchSize: 20,
      },
    },
  };

  it('set the options that the page states; of two names for one option the smaller value counts', () => {
    file('config/production.json', appsettings);
    const { worker, jobs } = read({ env: { NODE_ENV: 'production' } });
    expect(worker).toMatchObject({ maxConcurrency: 8, pollingIntervalMs: 1000, maxClaimBatchSize: 20 });
    expect(jobs).toMatchObject({ maxQueueSize: 2000, timeoutMs: 7_200_000, defaultMaxRetries: 5 });
    const limits = {
      workerConfigurations: { maximumConcurrency: 8 },
      jobManagerConfiguration: { maxConcurrentJobs: 3 },
    };
    expect(read({ defaults: limits }).worker?.maxConcurrency).toBe(3);
    const delay = { jobManagerConfiguration: { retryDelayBaseSeconds: 2.5 } };
    expect(read({ defaults: delay }).jobs?.retryDelayBaseMs).toBe(2_500);
  });

  it('convert retries, minutes, seconds and time spans', () => {
    const recoveryConfiguration = {
      enableDistributedJobRecovery: true,
      jobTimeoutMinutes: 60,
      recoveryCheckIntervalSeconds: 300,
      maximumRetries: 3,
    };
    const both = read({
      defaults: { recoveryConfiguration, jobManagerConfiguration: { staleJobClaimCheckInterval: '00:01:00' } },
    });
    expect(both.recovery).toMatchObject({ enabled: true, sweepIntervalMs: 60_000, maxCrashes: 4 });
    expect(both.jobs?.timeoutMs).toBe(3_600_000);
    expect(read({ defaults: { recoveryConfiguration } }).recovery?.sweepIntervalMs).toBe(300_000);
  });

  it('work as variables, too', () => {
    const variables = {
      ASYNC_WORKER_CONCURRENCY: '4',
      ASYNC_QUEUE_SIZE: '1000',
      ASYNC_POLLING_INTERVAL: '2000',
      ASYNC_MAX_RETRIES: '7',
    };
    const { worker, jobs } = read({ env: variables });
    expect(worker).toMatchObject({ maxConcurrency: 4, pollingIntervalMs: 2000 });
    expect(jobs).toMatchObject({ maxQueueSize: 1000, defaultMaxRetries: 7 });
  });
});

describe('A mistake in a configuration', () => {
  it.each(['ASYNC_WORKER_CONCURRENCY', 'ASYNC_QUEUE_SIZE', 'ASYNC_POLLING_INTERVAL', 'ASYNC_MAX_RETRIES'])(
    'is a value that is not a number: %s',
    (name) => {
      const { message } = catchError(() => read({ env: { [name]: 'four' } }));
      expect(message).toContain(`${name} in the environment is "four"; expected an integer`);
    },
  );

  it('stops the boot with all other mistakes in one message, without a stack trace', () => {
    file('config/development.json', { asyncEndpoints: { worker: { leasMs: 5 } } });
    file('.env', 'ASYNC_WORKER_CONCURENCY=4');
    const boot = () => read({ env: { ASYNC_MAX_RETRIES: '-1', REDIS_URL: 'http://user:secret@host' } });
    const path = join(cwd, 'config/development.json');
    const lines = `The configuration has 4 mistakes:
  - worker.leasMs in ${path} is not an option; did you mean worker.leaseMs?
  - ASYNC_WORKER_CONCURENCY in .env is not a variable; did you mean ASYNC_WORKER_CONCURRENCY?
  - ASYNC_MAX_RETRIES in the environment is -1; expected an integer from 0 to 1000 (jobs.defaultMaxRetries)
  - REDIS_URL in the environment is invalid (a secret is not shown); expected something like redis://127.0.0.1:6379, redis+cluster://host:6379,host:6379 or redis+sentinel://host:26379/name (redis.url)`.split(
      '\n',
    );
    const refusal = catchError(boot);
    expect(refusal.message.split('\n').toSorted()).toEqual(lines.toSorted());
    expect(refusal).toMatchObject({ code: 'INVALID_OPTION', stack: `AsyncEndpointsError: ${refusal.message}` });
  });

  it('shows no password, even when a URL is the value of another option or cannot be parsed', () => {
    const said = [
      env({ ASYNC_STORE: 'redis://:secret@host:6379' }),
      env({ REDIS_URL: 'redis://:sec#ret@host:6379' }),
      env({ REDIS_URL: 'redis://:sec%ret@host:6379' }),
      env({ POSTGRES_URL: 'mysql://user:secret@host' }),
      env({ POSTGRES_URL: 'mysql://user:secret@host', ASYNC_ROLE: 'worker' }),
    ];
    expect(said.flat()).toEqual([
      'ASYNC_STORE in the environment is "redis://…"; expected memory, redis, postgres, sqlite, or in code a JobStore (store)',
      ...Array<string>(2).fill(
        'REDIS_URL in the environment is invalid (a secret is not shown); expected something like redis://127.0.0.1:6379, redis+cluster://host:6379,host:6379 or redis+sentinel://host:26379/name (redis.url)',
      ),
      ...Array<string>(2).fill(
        'POSTGRES_URL in the environment is invalid (a secret is not shown); expected something like postgres://user@host:5432/database (postgres.url)',
      ),
    ]);
  });

  it.each([
    ['ASYNC_LEASE_MS', 'ASYNC_WORKER_LEASE_MS'],
    ['ASYNC_DRAIN_MS', 'ASYNC_WORKER_DRAIN_TIMEOUT_MS'],
    ['ASYNC_SWEEP_MS', 'ASYNC_RECOVERY_SWEEP_INTERVAL_MS'],
    ['ASYNC_CONFIG_FIEL', 'ASYNC_CONFIG_FILE'],
    ['ASYNC_REDIS_PREFX', 'ASYNC_REDIS_PREFIX'],
  ])('in the name of a variable suggests the right one: %s, for %s', (name, meant) => {
    expect(env({ [name]: '1' })).toEqual([`${name} in the environment is not a variable; did you mean ${meant}?`]);
  });

  it.each([
    [{ maxConcurrency: 4 }, 'maxConcurrency', 'worker.maxConcurrency'],
    [{ jobs: { maxConcurency: 4 } }, 'jobs.maxConcurency', 'worker.maxConcurrency'],
    [{ wroker: { leaseMs: 400 } }, 'wroker.leaseMs', 'worker.leaseMs'],
    [
      { jobManagerConfigurations: { maxConcurrentJobs: 1 } },
      'jobManagerConfigurations.maxConcurrentJobs',
      'jobManagerConfiguration.maxConcurrentJobs',
    ],
    [{ http: { pathh: 'x' } }, 'http.pathh', 'http.path'],
  ])('in the name of an option suggests the right one: %j', (section, name, meant) => {
    const path = file('config/development.json', { asyncEndpoints: section });
    expect(env({})).toEqual([`${name} in ${path} is not an option; did you mean ${meant}?`]);
  });

  it('in a name without a similar one is reported without a suggestion', () => {
    expect(env({ ASYNC_BANANA: '1' })).toEqual(['ASYNC_BANANA in the environment is not a variable of this library']);
    expect(() => read({ env: { ASYNC_BANANA: '1' }, otherVariables: ['ASYNC_BANANA'] })).not.toThrow();
  });

  it('is not a variable that Kubernetes sets for a Service', () => {
    const link = {
      ASYNC_API_SERVICE_HOST: '10.0.0.1',
      ASYNC_API_SERVICE_PORT_HTTP: '80',
      ASYNC_API_PORT: 'tcp://10.0.0.1:80',
    };
    expect(read({ env: { ...link, ASYNC_API_PORT_80_TCP_ADDR: '10.0.0.1', ASYNC_PORT_80_TCP: 'x' } }).role).toBe('all');
  });

  it.each([
    [{ worker: 5 }, 'worker in FILE is not an object'],
    [{ worker: { leaseMs: null } }, 'worker.leaseMs in FILE is null; expected an integer from 100 to 3600000'],
    [{ worker: { leaseMs: 500, LeaseMs: 600 } }, 'worker.LeaseMs in FILE is there twice'],
    [{ jobs: { retention: { failedMs: -1 } } }, 'jobs.retention.failedMs in FILE is -1; expected an integer from 0'],
    [{ http: { captureHeaders: ['Cookie'] } }, 'http.captureHeaders in FILE is ["Cookie"]; expected a list of header'],
    [{ http: { guards: [], owner: 'me' } }, 'http.owner in FILE is "me"; expected a function'],
    [
      { workerConfigurations: { jobTimeoutMinutes: 0 } },
      'workerConfigurations.jobTimeoutMinutes in FILE is 0; expected minutes for which jobs.timeoutMs is an integer from 1',
    ],
    [
      { jobManagerConfiguration: { staleJobClaimCheckInterval: '1 minute' } },
      'staleJobClaimCheckInterval in FILE is "1 minute"; expected a time such as 00:01:00',
    ],
    [{ store: 'sql' }, 'store in FILE is "sql"; expected memory, redis'],
    [{ redis: { password: 5 } }, 'redis.password in FILE is invalid (a secret is not shown); expected a text'],
  ])('in the value of an option: %j', (section, message) => {
    const path = file('config/development.json', { asyncEndpoints: section });
    expect(env({})).toEqual([expect.stringContaining(message.replace('FILE', path))]);
  });

  it.each([
    ['{ "asyncEndpoints": ', 'is no JSON'],
    ['[]', 'holds no object'],
    ['{ "asyncEndpoint": {} }', 'has no section "asyncEndpoints"'],
    ['{ "asyncEndpoints": 1 }', 'has a section "asyncEndpoints" that is not an object'],
  ])('of a file: %s', (content, message) => {
    const path = file('config/test.json', content);
    expect(env({ NODE_ENV: 'test' })).toEqual([expect.stringContaining(`${path} ${message}`)]);
  });

  it('of a file that holds a secret by mistake, without showing it', () => {
    for (const secret of [
      'hunter2-secret',
      '"hunter2-secret"',
      '{"hunter2-secret"',
      '{"hunter2-secret": "hunter2-secret"}',
    ]) {
      const path = file('config/test.json', secret);
      expect(env({ ASYNC_CONFIG_FILE: path }).join()).toMatch(
        /^(?!.*hunter2).*config\/test\.json (is no JSON|holds no|has no)/,
      );
    }
  });

  it('is a named file that does not exist', () => {
    expect(env({ ASYNC_CONFIG_FILE: '/nowhere.json' })).toEqual(['/nowhere.json cannot be read (ENOENT)']);
  });

  it('is a role that the application cannot have', () => {
    expect(read({ roles: ['worker'], env: { REDIS_URL: 'redis://host' } }).role).toBe('worker');
    expect(mistakes({ roles: ['all', 'api'], env: { ASYNC_ROLE: 'worker', REDIS_URL: 'redis://host' } })).toEqual([
      'ASYNC_ROLE in the environment is "worker"; expected all or api (role)',
    ]);
  });
});

function catchError(boot: () => unknown): Error {
  try {
    boot();
  } catch (error) {
    return error as Error;
  }
  throw new Error('It has booted.');
}
