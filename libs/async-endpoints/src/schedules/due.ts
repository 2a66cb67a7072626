import type { Firing, ScheduleRecord } from '../store/schedules.js';
import { decodeDefinition, jobAt } from './definition.js';
import { decodeTiming, nextInstant, type Timing } from './timing.js';

/** An instant that is late by up to this much does not count as missed: a deployment can take that long. */
const LATE_MS = 60_000;
const MOST_AT_ONCE = 100;
/** Up to this many instants are computed one by one; of more, only the latest. */
const MOST_COUNTED = 2_000;

/** What to do with a schedule whose next instant has passed. */
export interface Due {
  readonly firing: Firing;
  /** How many instants are skipped without a job. */
  readonly missed: number;
}

/** @param now by the store's clock */
export function dueOf(schedule: ScheduleRecord, now: number): Due {
  const { missed, missedWithinMs, overlap } = decodeDefinition(schedule);
  const timing = decodeTiming(schedule.timing);
  const { name, version } = schedule;
  const first = Math.max(schedule.nextAt as number, schedule.countsFrom);
  const withinMs = missed === 'skip' ? LATE_MS : Math.max(missedWithinMs, LATE_MS);
  const { instants, count } = instantsOf(timing, first, now, withinMs, missed === 'all' ? MOST_AT_ONCE : 1);
  const [at, following] = instants;
  const run = at === undefined ? null : { at, job: jobAt(schedule, at) };
  const nextAt = following ?? nextInstant(timing, now);
  return { firing: { name, version, nextAt, run, overlap }, missed: count - instants.length };
}

/** The latest instants from `first` until now that are no older than `withinMs`, in order, and the total number of instants. */
function instantsOf(timing: Timing, first: number, now: number, withinMs: number, most: number) {
  let count = 0;
  let instants: number[] = [];
  for (let at = nextInstant(timing, first - 1); at !== null && at <= now; at = nextInstant(timing, at)) {
    if (++count > MOST_COUNTED) return { instants: latest(timing, now, withinMs, most), count };
    if (at < now - withinMs) continue;
    instants.push(at);
    if (instants.length > 2 * most) instants = instants.slice(-most);
  }
  return { instants: instants.slice(-most), count };
}

/** Looks back in growing steps until it has found `most` instants. */
function latest(timing: Timing, now: number, withinMs: number, most: number): number[] {
  for (let ms = 1_000; ; ms *= 2) {
    const found: number[] = [];
    const from = now - Math.min(ms, withinMs);
    for (let at = nextInstant(timing, from - 1); at !== null && at <= now; at = nextInstant(timing, at)) found.push(at);
    if (found.length >= most || ms >= withinMs) return found.slice(-most);
  }
}
