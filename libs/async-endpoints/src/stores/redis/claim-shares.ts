import type { Claim } from '../../job/job.js';

/** How much of a claim is asked of one partition: in all, and of each name. */
export interface Share {
  readonly limit: number;
  readonly slots: Map<string, number>;
}

/** What one of `parties` may take, so that all together take no more than the whole. */
export function shareOf(turn: number, parties: number, limit: number, slots: ReadonlyMap<string, number>): Share {
  const share = (whole: number) => Math.floor(whole / parties) + (turn < whole % parties ? 1 : 0);
  const own = [...slots].map(([name, most]) => [name, share(most)] as const).filter(([, most]) => most > 0);
  return { limit: share(limit), slots: new Map(own) };
}

/** A share that was not used up says that there is no more; a name without one says nothing. */
export function mayHaveMore(claims: readonly Claim[], { limit, slots }: Share, names: number): boolean {
  if (claims.length === limit || slots.size < names) return true;
  return [...slots].some(([name, most]) => claims.filter(({ job }) => job.name === name).length === most);
}
