import type { Attributes, MetricOptions } from '@opentelemetry/api';

type Kind = 'counter' | 'histogram' | 'gauge';

export interface Metric extends MetricOptions {
  readonly kind: Kind;
  /** The unit, in UCUM. */
  readonly unit: string;
  /** The meaning of the metric. */
  readonly description: string;
  readonly attributes: readonly string[];
}

/** The attributes of metrics. Prometheus replaces the dot with an underscore. */
export const ATTRIBUTES = {
  name: 'job.name',
  status: 'job.status',
  error: 'error.type',
  outcome: 'job.outcome',
  operation: 'store.operation',
} as const;

const OF_JOBS = {
  explicitBucketBoundaries: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200],
};
const OF_CALLS = {
  explicitBucketBoundaries: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
};

/** All metrics, by name. A test compares them with `docs/metrics.md`. */
export const METRICS = {
  'async_endpoint.queue.depth': gauge('{job}', 'Waiting jobs in the whole store.', 'name', 'status'),
  'asyncendpoints.queue.bytes': gauge(
    'By',
    'Bytes that waiting jobs take in the store, as jobs.maxQueueBytes counts them.',
    'name',
    'status',
  ),
  'asyncendpoints.queue.oldest_age': gauge(
    's',
    'Time since scheduledAt of the earliest waiting job; for running jobs, time since the earliest claim.',
    'name',
    'status',
  ),
  'asyncendpoints.queue.running': gauge('{job}', 'Jobs in progress on all workers.', 'name'),
  'asyncendpoints.queue.paused': gauge('1', '1 while the job name is paused: no worker starts its jobs.', 'name'),
  'asyncendpoints.queue.workers': gauge('{worker}', 'Live workers of all processes that handle the job name.', 'name'),
  'asyncendpoints.queue.limit': gauge(
    '{job}',
    'Queue limit of this name. Only names that have a maxQueueSize of their own.',
    'name',
  ),
  'asyncendpoints.queue.bytes.limit': gauge(
    'By',
    'Limit of the bytes of waiting jobs of this name. Only names that have a maxQueueBytes of their own.',
    'name',
  ),
  'asyncendpoints.job.timeout': gauge('s', 'Limit of one attempt: timeoutMs of this name.', 'name'),
  'asyncendpoints.jobs.submitted': counter('{job}', 'Accepted jobs, without repeated submissions.', 'name'),
  'asyncendpoints.jobs.refused': counter('{job}', 'Submissions that were not accepted.', 'name', 'error'),
  'asyncendpoints.jobs.claimed': counter('{job}', 'Claims, so started attempts.', 'name'),
  'asyncendpoints.jobs.completed': counter('{job}', 'Jobs that completed.', 'name'),
  'asyncendpoints.jobs.failed': counter('{job}', 'Jobs that failed.', 'name', 'error'),
  'asyncendpoints.jobs.retried': counter('{job}', 'Failed attempts that are followed by a retry.', 'name', 'error'),
  'asyncendpoints.jobs.released': counter('{job}', 'Jobs released in a shutdown. They spend no attempt.', 'name'),
  'asyncendpoints.jobs.canceled': counter('{job}', 'Accepted cancellations, with repeated ones.', 'name'),
  'asyncendpoints.jobs.recovered': counter(
    '{job}',
    'Jobs recovered from dead workers, by their new status: Queued, or Failed after too many crashes.',
    'name',
    'status',
  ),
  'asyncendpoints.jobs.rerun': counter(
    '{job}',
    'Reruns of failed and canceled jobs, and of jobs that ran for too long.',
    'name',
  ),
  'asyncendpoints.jobs.purged': counter('{job}', 'Terminal jobs deleted after their retention.'),
  'asyncendpoints.schedule.instants': counter(
    '{instant}',
    'Instants of schedules: fired, skipped because the last job was not finished, or missed; by the name of their jobs.',
    'name',
    'outcome',
  ),
  'asyncendpoints.claims.lost': counter('{claim}', 'Lost claims, whose result was rejected.', 'name'),
  'asyncendpoints.job.wait.duration': histogram('s', 'Time from scheduledAt of a job to its claim.', OF_JOBS, 'name'),
  'asyncendpoints.job.run.duration': histogram(
    's',
    'Time of one attempt, from claim to outcome: complete, retry, fail, release, cancel or lose.',
    OF_JOBS,
    'name',
    'outcome',
  ),
  'asyncendpoints.job.total.duration': histogram(
    's',
    'Time from submission to the end of the job, with all attempts and waits.',
    OF_JOBS,
    'name',
    'status',
  ),
  'asyncendpoints.store.up': gauge('1', '1 when the store answered this read, 0 when it did not.'),
  'asyncendpoints.store.queue.limit': gauge('{job}', 'Queue limit of all names: jobs.maxQueueSize of this process.'),
  'asyncendpoints.store.queue.bytes.limit': gauge(
    'By',
    'Limit of the bytes of all waiting jobs: jobs.maxQueueBytes of this process.',
  ),
  'asyncendpoints.store.memory.used': gauge(
    'By',
    'Memory used by the fullest server of the store. Only stores that report it, such as Redis.',
  ),
  'asyncendpoints.store.memory.limit': gauge('By', 'Memory limit of this server. Only when it has a limit.'),
  'asyncendpoints.store.connections.used': gauge(
    '{connection}',
    'Connections of all clients to the server of the store: Redis, its fullest server, or PostgreSQL.',
  ),
  'asyncendpoints.store.connections.limit': gauge('{connection}', 'The most connections that this server accepts.'),
  'asyncendpoints.store.disk.used': gauge('By', 'Space used on the disk of the store, by anyone. Only SQLite.'),
  'asyncendpoints.store.disk.limit': gauge('By', 'Size of this disk.'),
  'asyncendpoints.store.size': gauge('By', 'Size of the store on the disk. Only SQLite and PostgreSQL.'),
  'asyncendpoints.store.log.size': gauge('By', 'Size of the write-ahead log of the store. Only SQLite.'),
  'asyncendpoints.store.rows.dead': gauge(
    '{row}',
    'Changed and deleted rows that the server has not removed yet. Only PostgreSQL.',
  ),
  'asyncendpoints.store.transaction.age': gauge(
    's',
    'Time since the begin of the oldest transaction that keeps the server from removing dead rows. Only PostgreSQL.',
  ),
  'asyncendpoints.store.notified': gauge(
    '1',
    '1 while notifications of the server arrive in this process, 0 while it polls. Only PostgreSQL.',
  ),
  'asyncendpoints.worker.handlers': gauge('{handler}', '1 for each job name that this process claims.', 'name'),
  'asyncendpoints.worker.slots.used': gauge('{job}', 'Jobs running in this process.'),
  'asyncendpoints.worker.slots.limit': gauge('{job}', 'The most jobs that this process runs at once.'),
  'asyncendpoints.store.call.duration': histogram(
    's',
    'Time of one call to the store, for any number of jobs.',
    OF_CALLS,
    'operation',
  ),
  'asyncendpoints.store.errors': counter('{error}', 'Calls to the store that failed.', 'operation', 'error'),
  'asyncendpoints.store.messages.ignored': counter(
    '{message}',
    'Messages on the channels of the store that were malformed or written by others.',
  ),
  'asyncendpoints.store.records.unreadable': counter(
    '{record}',
    'Records in the store that this process could not read, each counted once.',
  ),
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;

type AttributeName = keyof typeof ATTRIBUTES;

/** The attributes of a series of one job name. */
export function of(name: string, others: { readonly [Name in AttributeName]?: string } = {}): Attributes {
  const attributes: Attributes = { [ATTRIBUTES.name]: name };
  for (const other in others) attributes[ATTRIBUTES[other as AttributeName]] = others[other as AttributeName];
  return attributes;
}

function counter(unit: string, description: string, ...by: AttributeName[]) {
  return { kind: 'counter' as const, unit, description, attributes: by.map((name) => ATTRIBUTES[name]) };
}

function gauge(unit: string, description: string, ...by: AttributeName[]) {
  return { kind: 'gauge' as const, unit, description, attributes: by.map((name) => ATTRIBUTES[name]) };
}

function histogram(unit: string, description: string, advice: MetricOptions['advice'], ...by: AttributeName[]) {
  return { kind: 'histogram' as const, unit, description, advice, attributes: by.map((name) => ATTRIBUTES[name]) };
}
