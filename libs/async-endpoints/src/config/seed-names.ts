import type { Rule } from '../options/rules.js';
import { type Setting, SETTINGS } from './settings.js';

/** A name of the seed, the option that it sets, and the translation of its value. */
interface SeedName extends Rule<unknown> {
  readonly key: string;
  readonly states: Setting;
  translate(value: unknown): unknown;
}

/** The kind of value, and its translation. A value of another kind is not translated, and validation refuses it. */
type Unit = readonly [kind: string, translate: (value: unknown) => unknown];

const SAME: Unit = ['', (value) => value];
const MINUTES: Unit = ['minutes', times(60_000)];
const SECONDS: Unit = ['seconds', times(1_000)];
const TIME_SPAN: Unit = ['a time such as 00:01:00, or ms', timeSpan];
/** A number of retries means one more attempt. */
const RETRIES: Unit = ['retries', (value) => (typeof value === 'number' ? value + 1 : value)];

const NAMES: Readonly<Record<string, readonly [key: string, unit: Unit]>> = {
  'workerConfigurations.maximumConcurrency': ['worker.maxConcurrency', SAME],
  'workerConfigurations.maximumQueueSize': ['jobs.maxQueueSize', SAME],
  'workerConfigurations.jobTimeoutMinutes': ['jobs.timeoutMs', MINUTES],
  'workerConfigurations.pollingIntervalMs': ['worker.pollingIntervalMs', SAME],
  'jobManagerConfiguration.defaultMaxRetries': ['jobs.defaultMaxRetries', SAME],
  'jobManagerConfiguration.retryDelayBaseSeconds': ['jobs.retryDelayBaseMs', SECONDS],
  'jobManagerConfiguration.maxConcurrentJobs': ['worker.maxConcurrency', SAME],
  'jobManagerConfiguration.jobPollingIntervalMs': ['worker.pollingIntervalMs', SAME],
  'jobManagerConfiguration.maxClaimBatchSize': ['worker.maxClaimBatchSize', SAME],
  'jobManagerConfiguration.staleJobClaimCheckInterval': ['recovery.sweepIntervalMs', TIME_SPAN],
  'recoveryConfiguration.enableDistributedJobRecovery': ['recovery.enabled', SAME],
  'recoveryConfiguration.jobTimeoutMinutes': ['jobs.timeoutMs', MINUTES],
  'recoveryConfiguration.recoveryCheckIntervalSeconds': ['recovery.sweepIntervalMs', SECONDS],
  'recoveryConfiguration.maximumRetries': ['recovery.maxCrashes', RETRIES],
};

export const SEED_NAMES: ReadonlyMap<string, SeedName> = new Map(
  Object.entries(NAMES).map(([key, [stated, [kind, translate]]]): [string, SeedName] => {
    const states = SETTINGS.get(stated) as Setting;
    const expected = kind ? `${kind} for which ${stated} is ${states.expected}` : states.expected;
    const accepts = (value: unknown): value is unknown => states.accepts(translate(value));
    return [key, { key, states, translate, expected, accepts }];
  }),
);

function times(factor: number): (value: unknown) => unknown {
  return (value) => (typeof value === 'number' ? Math.round(value * factor) : value);
}

/** A TimeSpan of .NET: `[days.]hours:minutes:seconds`. */
function timeSpan(value: unknown): unknown {
  const match = typeof value === 'string' && /^(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?$/.exec(value);
  if (!match) return value;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return Math.round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000);
}
