import type { Claim } from '../../job/job.js';

/** The share of a claim that is requested from one partition: in total, and of each name. */
export interface Share {
  readonly limit: number;
  readonly slots: Map<string, number>;
}

/** The share of one of `parties`. All shares together do not exceed the whole. */
export function shareOf(turn: number, parties: number, limit: number, slots: ReadonlyMap<string, number>): Share {
  const share = (whole: number) => Math.floor(whole / parties) + (turn < whole % parties ? 1 : 0);
  const own = [...slots].map(([name, most]) => [name, share(most)] as const).filter(([, most]) => most > 0);
  return { limit: share(limit), slots: new Map(own) };
}

/**
 * Whether the partition may have more jobs. A share that was not used up means that it has none left; a name without a share
 * means nothing.
 */
export function mayHaveMore(claims: readonly Claim[], { limit, slots }: Share, names: number): boolean {
  if (claims.length === limit || slots.size < names) return true;
  return [...slots].some(([name, most]) => claims.filter(({ job }) => job.name === name).length === most);
}
