import type { Claim } from '../../job/job.js';
import type { Turns } from '../../store/fairness.js';
import type { ClaimRequest } from '../../store/job-store.js';
import type { OpenDatabase } from './open-database.js';

/** Within a transaction. Each name first gets an equal part of the limit, then the rest goes to the names in turn. */
export function claimJobs(
  { jobs, afterwards, work }: OpenDatabase,
  turns: Turns,
  request: ClaimRequest,
  now: number,
): Claim[] {
  const claims: Claim[] = [];
  const left = new Map(request.slots);
  const names = turns.rotate(left.keys());
  const take = (name: string, most: number) => {
    const taken = jobs.claim(name, Math.min(most, left.get(name) as number), request, now);
    left.set(name, (left.get(name) as number) - taken.length);
    claims.push(...taken);
  };
  names.forEach((name, at) => take(name, Math.ceil((request.limit - claims.length) / (names.length - at))));
  for (const name of names) take(name, request.limit - claims.length);
  afterwards(() => work.remaining(names));
  return claims;
}
