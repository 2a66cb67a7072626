import type { RecoveryOptions, Role, WorkerOptions } from 'nestjs-async-endpoints';
import { parsePort } from './port.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** What the environment says of a process. A variable that is unset or empty has its default. */
export interface Settings {
  /** `PORT`. Default 3000; of a worker 3001, so that both can run on one machine. */
  readonly port: number;
  /** `ASYNC_ROLE`. Default: the first that the application can have. */
  readonly role: Role;
  /** `REDIS_URL`, where `ASYNC_STORE` is `redis`; null where it is `memory`, the default of a process on its own. */
  readonly redisUrl: string | null;
  /** `ASYNC_WORKER_CONCURRENCY`, `ASYNC_LEASE_MS`, `ASYNC_DRAIN_MS`. Defaults: 16, else the library's. */
  readonly worker: Partial<WorkerOptions>;
  /** `ASYNC_SWEEP_MS`. Default: the library's. */
  readonly recovery: Partial<RecoveryOptions>;
}

/**
 * @param roles that the application can have
 * @throws RangeError in one line, naming the variable, what it is and what was expected
 */
export function readSettings(env: Environment, roles: readonly [Role, ...Role[]]): Settings {
  const role = choice(env, 'ASYNC_ROLE', roles);
  const stores = role === 'all' ? (['memory', 'redis'] as const) : (['redis'] as const); // a memory is nobody else's
  return {
    port: parsePort(env['PORT'], role === 'worker' ? 3001 : 3000),
    role,
    redisUrl: choice(env, 'ASYNC_STORE', stores) === 'redis' ? redisUrl(env) : null,
    worker: {
      // More than processors, because the demo's jobs mostly wait.
      maximumConcurrency: wholeNumber(env, 'ASYNC_WORKER_CONCURRENCY') ?? 16,
      leaseMs: wholeNumber(env, 'ASYNC_LEASE_MS'),
      drainTimeoutMs: wholeNumber(env, 'ASYNC_DRAIN_MS'),
    },
    recovery: { sweepIntervalMs: wholeNumber(env, 'ASYNC_SWEEP_MS') },
  };
}

function choice<T extends string>(env: Environment, name: string, choices: readonly [T, ...T[]]): T {
  const text = env[name]?.trim() || choices[0];
  const chosen = choices.find((known) => known === text);
  if (chosen !== undefined) return chosen;
  throw new RangeError(`${name} is ${JSON.stringify(text)}; expected ${choices.join(' or ')}.`);
}

function wholeNumber(env: Environment, name: string): number | undefined {
  const text = env[name]?.trim();
  if (!text) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new RangeError(`${name} is ${JSON.stringify(text)}; expected a whole number.`);
}

/** What it is stays unsaid: there may be a password in it. */
function redisUrl(env: Environment): string {
  const text = env['REDIS_URL']?.trim();
  if (text && /^rediss?:\/\/./.test(text) && URL.canParse(text)) return text;
  throw new RangeError(
    `REDIS_URL is ${text ? 'no URL of a Redis' : 'missing'}; expected something like redis://127.0.0.1:6379.`,
  );
}
