import type { Claim } from '../../job/job.js';
import { Turns } from '../../store/fairness.js';
import type { ClaimRequest } from '../../store/job-store.js';
import { encodeText } from '../sql/text.js';
import type { PostgresConnections } from './connections.js';
import type { Front, Fronts } from './fronts.js';
import type { PostgresSettings } from './options.js';
import { claimOf, type ClaimRow } from './rows.js';

/** Larger than any difference of times, where priority counts strictly. */
const NEVER_MS = 2 ** 45;
/** Of a front: each is an argument of `claim`, for all names. */
const PARTS = [0, 1, 2] as const;

type Reply = readonly [now: number, ...ofNames: (readonly [at: number, front: Front | null, ...rows: ClaimRow[]])[]];

/** Claims, each name from where this process has got to. */
export class PostgresClaims {
  readonly #turns = new Turns();

  constructor(
    private readonly connections: PostgresConnections,
    private readonly fronts: Fronts,
    private readonly settings: PostgresSettings,
  ) {}

  async claim(request: ClaimRequest): Promise<Claim[]> {
    const { worker, leaseMs, limit, slots } = request;
    const { agingMs, synchronousClaims, now: clock } = this.settings;
    const since = performance.now();
    const names = this.#turns.rotate(slots.keys());
    const from = names.map((name) => this.fronts.of(name));
    const [now, ...groups] = await this.connections.call<Reply>(
      'claim',
      names.map(encodeText),
      names.map((name) => Math.min(slots.get(name) as number, limit)),
      ...PARTS.map((part) => from.map((front) => front && front[part])),
      limit,
      encodeText(worker),
      leaseMs,
      agingMs === 0 ? NEVER_MS : agingMs,
      synchronousClaims,
      clock ? Math.floor(clock()) : null,
    );
    const claims: Claim[] = [];
    const to = new Map<string, Front>();
    for (const [at, front, ...rows] of groups) {
      const name = names[at] as string;
      if (front) to.set(name, front);
      for (const row of rows) claims.push(claimOf(row, name, request, now));
    }
    this.fronts.moved({ names, from, to, since, isShort: claims.length < limit });
    return claims;
  }
}
