import { publicError } from '../../job/errors.js';
import type { AttemptRepresentation, JobRepresentation, Links } from '../../job/job-representation.js';
import type { FailedAttempt, Job, JobRecord } from '../../job/job.js';

/**
 * @param result the decoded result
 * @param showsAttempts as `http.showAttempts`
 */
export function represent<TResult>(
  job: JobRecord,
  result: TResult | null,
  links: Links,
  showsAttempts: boolean,
): JobRepresentation<TResult> {
  return {
    id: job.id,
    name: job.name,
    status: job.status,
    retryCount: job.retryCount,
    maxRetries: job.maxRetries,
    createdAt: toIso(job.createdAt),
    startedAt: job.startedAt === null ? null : toIso(job.startedAt),
    completedAt: job.completedAt === null ? null : toIso(job.completedAt),
    lastUpdatedAt: toIso(job.lastUpdatedAt),
    progress: job.progress,
    result,
    error: job.error && publicError(job.error),
    ...(showsAttempts && { failedAttempts: job.failedAttempts.map(representAttempt) }),
    links,
  };
}

/** The JSON text of {@link represent}, with the result as it is stored. `JSON.stringify` takes four times as long. */
export function representAsText(job: JobRecord, links: Links, showsAttempts: boolean): string {
  const { status, retryCount, maxRetries, startedAt, completedAt } = job;
  return (
    `{"id":"${job.id}","name":${JSON.stringify(job.name)},"status":"${status}","retryCount":${retryCount},` +
    `"maxRetries":${maxRetries},"createdAt":"${toIso(job.createdAt)}","startedAt":${timeAsText(startedAt)},` +
    `"completedAt":${timeAsText(completedAt)},"lastUpdatedAt":"${toIso(job.lastUpdatedAt)}",` +
    `"progress":${asText(job.progress)},"result":${job.result},"error":${asText(job.error && publicError(job.error))},` +
    (showsAttempts ? `"failedAttempts":${JSON.stringify(job.failedAttempts.map(representAttempt))},` : '') +
    `"links":{"self":"${links.self}","result":"${links.result}","events":"${links.events}"}}` // encoded by JobLinks
  );
}

function timeAsText(ms: number | null): string {
  return ms === null ? 'null' : `"${toIso(ms)}"`;
}

function asText(value: object | null): string {
  return value === null ? 'null' : JSON.stringify(value);
}

function representAttempt({ number, startedAt, endedAt, outcome, error }: FailedAttempt): AttemptRepresentation {
  return { number, startedAt: toIso(startedAt), endedAt: toIso(endedAt), outcome, error: publicError(error) };
}

/**
 * The job for response factories, which can read all of its fields. When a factory returns the job in its body, clients get the
 * representation. A copy (`{ ...job }`) has only the fields that clients may see.
 */
export function presentable<T extends Job>(job: T, representation: JobRepresentation): T {
  const described = Object.entries(job).map(([key, value]) => [
    key,
    { value: value as unknown, enumerable: isShown(value, (representation as unknown as Fields)[key]) },
  ]);
  const toJSON = { value: () => representation, enumerable: false };
  return Object.defineProperties({}, { ...Object.fromEntries(described), toJSON } as PropertyDescriptorMap) as T;
}

type Fields = Readonly<Record<string, unknown>>;

/** Times have another form in the representation, and an error may be there in part. */
function isShown(value: unknown, shown: unknown): boolean {
  return shown !== undefined && (typeof value !== 'object' || value === shown);
}

const DAY_MS = 86_400_000;

/** The day of the last time. Most times of jobs are of one day. */
let day = { from: NaN, date: '' };

/** As `toISOString`, in a quarter of its time: three of them are a fortieth of a status read. */
function toIso(ms: number): string {
  const from = Math.floor(ms / DAY_MS) * DAY_MS;
  if (from !== day.from) day = { from, date: new Date(from).toISOString().slice(0, -'00:00:00.000Z'.length) };
  const inDay = ms - from;
  const minutes = Math.floor(inDay / 60_000);
  const clock = `${digits(100, minutes / 60)}:${digits(100, minutes % 60)}:${digits(100, (inDay % 60_000) / 1_000)}`;
  return `${day.date}${clock}.${digits(1_000, inDay % 1_000)}Z`;
}

/** @param over the power of ten above the largest number */
function digits(over: number, number: number): string {
  return String(over + Math.floor(number)).slice(1);
}
