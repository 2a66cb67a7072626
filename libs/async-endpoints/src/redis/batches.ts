import { createHash } from 'node:crypto';
import type { NewJob } from '../job/job.js';
import type { Settlement } from '../job/lifecycle.js';
import type { Submission } from '../store/job-store.js';
import { decode, encodeFixed, oneLine } from './codec.js';

/** What `submit.lua.ts` takes for each group of jobs. @param keyed those with an idempotency key, as in KEYS */
export function submitArguments(jobs: readonly NewJob[], names: readonly string[], keyed: readonly NewJob[]): string[] {
  const alike = (job: NewJob): string => {
    const key = job.idempotency ? `${keyed.indexOf(job) + 1},${job.idempotency.retentionMs}` : ',';
    const { delayMs, priority, queueLimit } = job;
    return `${names.indexOf(job.name) + 1},${delayMs},${priority},${queueLimit ?? ''},${key}\n${encodeFixed(job)}`;
  };
  return inGroups(jobs, alike, (job) => [job.id, oneLine(job.input)]);
}

/** What `settle.lua.ts` takes for each group of settlements. */
export function settleArguments(settlements: readonly Settlement[], names: readonly string[]): (string | number)[] {
  const alike = (settlement: Settlement): string => {
    const delay = settlement.verb === 'retry' ? settlement.delayMs : '';
    return `${names.indexOf(settlement.name) + 1},${settlement.verb},${delay}`;
  };
  return inGroups(settlements, alike, (settlement) => [settlement.id, settlement.token, valueOf(settlement)]);
}

/** What became of a job that `submit.lua.ts` did not create. */
export function declined(reply: string | string[]): Submission {
  if (typeof reply !== 'string') {
    const [id, text, claim] = reply as [string, string, string];
    return { outcome: 'existing', job: decode(id, text, claim).job };
  }
  const [what, on] = reply.split(' ');
  if (what === 'refused') return { outcome: 'refused', limit: on as 'total' | 'name' };
  return { outcome: 'conflict', on: on as 'id' | 'key' };
}

function valueOf(settlement: Settlement): string {
  if (settlement.verb === 'complete') return settlement.result === null ? '' : oneLine(settlement.result);
  return settlement.verb === 'release' ? '' : JSON.stringify(settlement.error);
}

/** A digest, because owners and keys are the client's, and key names are the operator's. */
export function scopeOf({ owner, name, idempotency }: NewJob): string {
  return createHash('sha256')
    .update(JSON.stringify([owner, name, idempotency?.key]))
    .digest('base64url');
}

/**
 * Neighbours that are alike, together: how many they are and what they have in common is sent once, then the values of
 * each.
 */
function inGroups<T, TValue>(
  items: readonly T[],
  alike: (item: T) => string,
  valuesOf: (item: T) => TValue[],
): (string | TValue)[] {
  const groups: { head: string; items: T[] }[] = [];
  for (const item of items) {
    const head = alike(item);
    const last = groups.at(-1);
    if (last?.head === head) last.items.push(item);
    else groups.push({ head, items: [item] });
  }
  const args: (string | TValue)[] = [];
  for (const group of groups) {
    args.push(`${group.items.length},${group.head}`);
    for (const item of group.items) args.push(...valuesOf(item));
  }
  return args;
}
