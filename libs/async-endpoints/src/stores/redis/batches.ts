import { createHash } from 'node:crypto';
import { attemptError } from '../../job/attempts.js';
import { boundedDelay } from '../../job/bounds.js';
import type { NewJob } from '../../job/job.js';
import type { Settlement } from '../../job/lifecycle.js';
import type { Submission } from '../../store/job-store.js';
import { decode, encodeFixed } from './codec.js';
import { jsonLine } from './text.js';
import type { Unreadable } from './unreadable.js';

/**
 * The arguments of `submit.lua.ts` for each group of jobs. @param keyed the jobs with an idempotency key, in the order of KEYS
 */
export function submitArguments(jobs: readonly NewJob[], names: readonly string[], keyed: readonly NewJob[]): string[] {
  const headOf = (job: NewJob): string => {
    const key = job.idempotency ? `${keyed.indexOf(job) + 1},${job.idempotency.retentionMs}` : ',';
    const { delayMs, priority, queueLimit, queueBytes } = job;
    const limits = `${queueLimit ?? ''},${queueBytes ?? ''}`;
    return `${names.indexOf(job.name) + 1},${delayMs},${priority},${limits},${key}\n${encodeFixed(job)}`;
  };
  return inGroups(jobs, haveOneHead, headOf, (args, job) => args.push(job.id, jsonLine(job.payload)));
}

/**
 * Whether two jobs share everything that a group shares. It compares the fields instead of their text, because it runs for every
 * job.
 */
function haveOneHead(a: NewJob, b: NewJob): boolean {
  return (
    a.idempotency === null &&
    b.idempotency === null &&
    a.name === b.name &&
    a.owner === b.owner &&
    a.delayMs === b.delayMs &&
    a.priority === b.priority &&
    a.queueLimit === b.queueLimit &&
    a.queueBytes === b.queueBytes &&
    a.maxRetries === b.maxRetries &&
    a.fingerprint === b.fingerprint &&
    a.retention.completedMs === b.retention.completedMs &&
    a.retention.failedMs === b.retention.failedMs &&
    a.retention.canceledMs === b.retention.canceledMs
  );
}

/** The arguments of `settle.lua.ts` for each group of settlements. */
export function settleArguments(settlements: readonly Settlement[], names: readonly string[]): (string | number)[] {
  const haveOneVerb = (a: Settlement, b: Settlement) =>
    a.name === b.name && a.verb === b.verb && (a.verb === 'retry' && a.delayMs) === (b.verb === 'retry' && b.delayMs);
  const headOf = (settlement: Settlement): string => {
    const delay = settlement.verb === 'retry' ? boundedDelay(settlement.delayMs) : '';
    return `${names.indexOf(settlement.name) + 1},${settlement.verb},${delay}`;
  };
  return inGroups<Settlement, string | number>(settlements, haveOneVerb, headOf, (args, settlement) =>
    args.push(settlement.id, settlement.fence, valueOf(settlement)),
  );
}

/** The outcome of a job that `submit.lua.ts` did not create. */
export function declined(reply: string | string[], unreadable: Unreadable): Submission {
  if (typeof reply !== 'string') {
    const [id, text, claim] = reply as [string, string, string];
    const job = unreadable.orNull(id, text, () => decode(id, text, claim).job);
    return job ? { outcome: 'existing', job } : { outcome: 'conflict', on: 'id' };
  }
  const [what, on] = reply.split(' ');
  if (what === 'refused') return { outcome: 'refused', limit: on as 'total' | 'name' };
  return { outcome: 'conflict', on: on as 'id' | 'key' };
}

function valueOf(settlement: Settlement): string {
  if (settlement.verb === 'complete') return settlement.result === null ? '' : jsonLine(settlement.result);
  if (settlement.verb === 'release') return '';
  const { code, message, ...others } = settlement.error;
  // Scripts expect the code first.
  return `${JSON.stringify({ code, message, ...others })}\n${JSON.stringify(attemptError(settlement.error))}`;
}

/** A digest, because clients choose keys, and operators can see the names of Redis keys. */
export function scopeOf({ owner, name, idempotency }: NewJob): string {
  return createHash('sha256')
    .update(JSON.stringify([owner, name, idempotency?.key]))
    .digest('base64url');
}

/** Groups consecutive items that are alike. A group sends its size and common values once, then the values of each item. */
function inGroups<T, TValue>(
  items: readonly T[],
  areAlike: (item: T, other: T) => boolean,
  headOf: (item: T) => string,
  addValues: (args: (string | TValue)[], item: T) => void,
): (string | TValue)[] {
  const args: (string | TValue)[] = [];
  for (let from = 0; from < items.length;) {
    const first = items[from] as T;
    let until = from + 1;
    while (until < items.length && areAlike(first, items[until] as T)) until++;
    args.push(`${until - from},${headOf(first)}`);
    for (; from < until; from++) addValues(args, items[from] as T);
  }
  return args;
}

/** Two replies for each id. When records are large, a script replies for the first ids only, and is called again for the rest. */
export async function inPairs(
  ids: readonly string[],
  ask: (some: readonly string[], from: number) => Promise<string[]>,
): Promise<string[]> {
  let replies = await ask(ids, 0);
  while (replies.length < 2 * ids.length) {
    const from = replies.length / 2;
    replies = replies.concat(await ask(ids.slice(from), from));
  }
  return replies;
}

export function distinct(names: readonly string[]): string[] {
  return [...new Set(names)];
}
