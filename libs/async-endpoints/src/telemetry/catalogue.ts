import type { MetricOptions } from '@opentelemetry/api';

type Kind = 'counter' | 'histogram' | 'gauge';

export interface Metric extends MetricOptions {
  readonly kind: Kind;
  /** In UCUM. */
  readonly unit: string;
  /** Its one meaning. */
  readonly description: string;
  readonly attributes: readonly string[];
}

/** What metrics are told apart by; Prometheus writes an underscore for the dot. */
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

/** Every metric that there is, by its name; `docs/metrics.md` says the same, and a test that it does. */
export const METRICS = {
  'async_endpoint.queue.depth': gauge('{job}', 'Jobs that wait to be started, in the whole store.', 'name', 'status'),
  'asyncendpoints.queue.bytes': gauge(
    'By',
    'What waiting jobs take in the store, as jobs.maxQueueBytes counts it.',
    'name',
    'status',
  ),
  'asyncendpoints.queue.oldest_age': gauge(
    's',
    'Of waiting jobs, for how long the earliest of their name has been due; of running ones, how long ago the earliest was claimed.',
    'name',
    'status',
  ),
  'asyncendpoints.queue.running': gauge('{job}', 'Jobs in progress, on whichever worker.', 'name'),
  'asyncendpoints.queue.paused': gauge('1', '1 while the job name is paused: no worker starts its jobs.', 'name'),
  'asyncendpoints.queue.workers': gauge(
    '{worker}',
    'Live workers that handle the job name, wherever they run.',
    'name',
  ),
  'asyncendpoints.queue.limit': gauge(
    '{job}',
    'The most jobs of this name that may wait. Only names that have a maxQueueSize of their own.',
    'name',
  ),
  'asyncendpoints.queue.bytes.limit': gauge(
    'By',
    'What waiting jobs of this name may take. Only names that have a maxQueueBytes of their own.',
    'name',
  ),
  'asyncendpoints.job.timeout': gauge('s', 'How long one attempt may run: timeoutMs of this name.', 'name'),
  'asyncendpoints.jobs.submitted': counter('{job}', 'Jobs accepted; recognised repeats are none.', 'name'),
  'asyncendpoints.jobs.refused': counter('{job}', 'Submissions that were not accepted.', 'name', 'error'),
  'asyncendpoints.jobs.claimed': counter('{job}', 'Attempts begun: jobs claimed by a worker to be run.', 'name'),
  'asyncendpoints.jobs.completed': counter('{job}', 'Jobs that ended Completed.', 'name'),
  'asyncendpoints.jobs.failed': counter('{job}', 'Jobs that ended Failed.', 'name', 'error'),
  'asyncendpoints.jobs.retried': counter('{job}', 'Failed attempts that another will follow.', 'name', 'error'),
  'asyncendpoints.jobs.released': counter('{job}', 'Jobs given back in a shutdown, no attempt spent.', 'name'),
  'asyncendpoints.jobs.canceled': counter('{job}', 'Cancellations granted; a repeated one counts again.', 'name'),
  'asyncendpoints.jobs.recovered': counter(
    '{job}',
    'Jobs taken back from workers that vanished, by what they then were: Queued, or Failed when crashes are spent.',
    'name',
    'status',
  ),
  'asyncendpoints.jobs.rerun': counter(
    '{job}',
    'Jobs that somebody queued anew: failed, canceled, or running for too long.',
    'name',
  ),
  'asyncendpoints.jobs.purged': counter('{job}', 'Finished jobs removed after their retention.'),
  'asyncendpoints.claims.lost': counter('{claim}', 'Claims found to be held no longer, their result refused.', 'name'),
  'asyncendpoints.job.wait.duration': histogram('s', 'From when a job was due until its claim.', OF_JOBS, 'name'),
  'asyncendpoints.job.run.duration': histogram(
    's',
    'Of one attempt, from claim to outcome: complete, retry, fail, release, cancel or lose.',
    OF_JOBS,
    'name',
    'outcome',
  ),
  'asyncendpoints.job.total.duration': histogram(
    's',
    'From submission to the end of the job, all attempts and waits included.',
    OF_JOBS,
    'name',
    'status',
  ),
  'asyncendpoints.store.up': gauge('1', '1 when the store answered this read, 0 when it did not.'),
  'asyncendpoints.store.queue.limit': gauge(
    '{job}',
    'The most jobs of all names that may wait: jobs.maxQueueSize of this process.',
  ),
  'asyncendpoints.store.queue.bytes.limit': gauge(
    'By',
    'What waiting jobs of all names may take: jobs.maxQueueBytes of this process.',
  ),
  'asyncendpoints.store.memory.used': gauge(
    'By',
    'Memory that the fullest server of the store uses. Only stores that know it, such as Redis.',
  ),
  'asyncendpoints.store.memory.limit': gauge('By', 'Memory that this server may use. Only where it has a limit.'),
  'asyncendpoints.worker.handlers': gauge('{handler}', '1 for each job name that this process claims.', 'name'),
  'asyncendpoints.worker.slots.used': gauge('{job}', 'Jobs running in this process.'),
  'asyncendpoints.worker.slots.limit': gauge('{job}', 'The most jobs that this process runs at once.'),
  'asyncendpoints.store.call.duration': histogram(
    's',
    'Of one call to the store, however many jobs it is about.',
    OF_CALLS,
    'operation',
  ),
  'asyncendpoints.store.errors': counter('{error}', 'Calls to the store that failed.', 'operation', 'error'),
  'asyncendpoints.store.messages.ignored': counter(
    '{message}',
    'Messages on the channels of the store that were malformed, or written by somebody else.',
  ),
  'asyncendpoints.store.records.unreadable': counter(
    '{record}',
    'Records that this process met in the store and could not read, each counted once.',
  ),
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;

type AttributeName = keyof typeof ATTRIBUTES;

function counter(unit: string, description: string, ...by: AttributeName[]) {
  return { kind: 'counter' as const, unit, description, attributes: by.map((name) => ATTRIBUTES[name]) };
}

function gauge(unit: string, description: string, ...by: AttributeName[]) {
  return { kind: 'gauge' as const, unit, description, attributes: by.map((name) => ATTRIBUTES[name]) };
}

function histogram(unit: string, description: string, advice: MetricOptions['advice'], ...by: AttributeName[]) {
  return { kind: 'histogram' as const, unit, description, advice, attributes: by.map((name) => ATTRIBUTES[name]) };
}
