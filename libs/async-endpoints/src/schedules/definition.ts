import { createHash } from 'node:crypto';
import { checkChoice, checkInteger, invalid, LONGEST_MS } from '../job/bounds.js';
import { invalidOption } from '../job/errors.js';
import type { NewJob, StoredPayload } from '../job/job.js';
import type { ScheduleRecord } from '../store/schedules.js';
import type { ScheduleOptions } from './recurring.js';
import { decodeTiming } from './timing.js';

/** A day. */
const MISSED_WITHIN_MS = 86_400_000;
const LONGEST_NAME = 200;

/** What all jobs of a schedule have in common. Taken from the options of the job when the schedule was declared. */
type JobTemplate = Omit<NewJob, 'id' | 'delayMs' | 'idempotency' | 'fingerprint' | symbol>;

/** The content of `ScheduleRecord.definition`, which the store keeps as JSON text. */
interface Definition extends Required<{ [Key in keyof ScheduleOptions]: NonNullable<ScheduleOptions[Key]> }> {
  /** True when a handler declares the schedule, false when the application created it at run time. */
  readonly isDeclared: boolean;
  readonly template: JobTemplate;
}

/** @throws AsyncEndpointsError `INVALID_OPTION` */
export function encodeDefinition(
  options: ScheduleOptions,
  isDeclared: boolean,
  template: JobTemplate,
  where: string,
): string {
  const { missed = 'once', missedWithinMs = MISSED_WITHIN_MS, overlap = 'skip' } = options;
  checkChoice(`${where}: missed`, missed, ['once', 'skip', 'all']);
  checkChoice(`${where}: overlap`, overlap, ['skip', 'queue', 'allow']);
  checkInteger(`${where}: missedWithinMs`, missedWithinMs, 0, LONGEST_MS);
  if (missed === 'all' && overlap === 'skip') {
    const expected = 'expected overlap "queue" or "allow", or each job would skip the next one';
    throw invalidOption(`${where}: missed is "all" and overlap "skip"; ${expected}.`);
  }
  const { name, payload, owner, priority, maxRetries, retention, queueLimit, queueBytes } = template;
  const job = { name, payload, owner, priority, maxRetries, retention, queueLimit, queueBytes };
  return JSON.stringify({ missed, missedWithinMs, overlap, isDeclared, template: job } satisfies Definition);
}

export function decodeDefinition({ definition }: Pick<ScheduleRecord, 'definition'>): Definition {
  return JSON.parse(definition) as Definition;
}

/** Whether this release can read the stored schedule. A newer release may have written it. */
export function isReadable(schedule: Pick<ScheduleRecord, 'definition' | 'timing'>): boolean {
  try {
    const timing = decodeTiming(schedule.timing);
    return ('cron' in timing || 'everyMs' in timing) && typeof decodeDefinition(schedule).template.payload === 'string';
  } catch {
    return false;
  }
}

/** The job for an instant. Its id is derived from the instant, so an instant never gets two jobs. */
export function jobAt(schedule: ScheduleRecord, at: number): NewJob {
  const hex = createHash('sha256').update(`${schedule.name}\n${at}`).digest('hex');
  const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  return jobOf(schedule, at, id);
}

/** A job of the schedule for this instant, with the given id. */
export function jobOf(schedule: ScheduleRecord, at: number, id: string): NewJob {
  const { template } = decodeDefinition(schedule);
  const stored = JSON.parse(template.payload) as StoredPayload;
  const payload = JSON.stringify({ ...stored, schedule: { name: schedule.name, at } } satisfies StoredPayload);
  return { ...template, id, payload, delayMs: 0, idempotency: null, fingerprint: null };
}

/** @throws AsyncEndpointsError `INVALID_OPTION` */
export function checkScheduleName(name: unknown): string {
  if (typeof name === 'string' && name !== '' && name.length <= LONGEST_NAME) return name;
  throw invalid('The name of a schedule', name, `a text of 1 to ${LONGEST_NAME} characters`);
}
