import type { SweepRhythm } from './verbs.js';

/**
 * What a store remembers about its sweeps and about the last **silence**, a time without sweeps that is longer than normal. In a
 * silence leases end although their workers live, because the workers cannot reach the store. A silence is **witnessed** when a
 * process that swept before it also sweeps after it. Without a witness, all workers may have stopped. Times are in ms by the
 * store's clock.
 */
export interface Silence {
  /** 0 before the first sweep. */
  readonly lastSweepAt: number;
  readonly from: number;
  readonly until: number;
  /** No job is recovered before this time, so that live workers can renew their leases. */
  readonly graceUntil: number;
  readonly isWitnessed: boolean;
}

export const NO_SILENCE: Silence = { lastSweepAt: 0, from: 0, until: 0, graceUntil: 0, isWitnessed: false };

/** @param sweptAt the time of the previous sweep of the same process; null for its first sweep */
export function noteSweep(
  known: Silence,
  { silenceMs, leaseMs }: SweepRhythm,
  now: number,
  sweptAt: number | null,
): Silence {
  const { lastSweepAt, graceUntil } = known;
  if (lastSweepAt > 0 && now - lastSweepAt > silenceMs) {
    // A silence that begins within the grace continues the last one: leases could not be renewed in between.
    const goesOn = known.isWitnessed && lastSweepAt < graceUntil;
    const isWitnessed = sweptAt !== null || goesOn;
    const from = goesOn ? known.from : lastSweepAt;
    return { lastSweepAt: now, from, until: now, graceUntil: now + (isWitnessed ? leaseMs : leaseMs / 3), isWitnessed };
  }
  const isWitness = sweptAt !== null && !known.isWitnessed && known.until > 0 && sweptAt <= known.from;
  if (isWitness) return { ...known, lastSweepAt: now, graceUntil: known.until + leaseMs, isWitnessed: true };
  return { ...known, lastSweepAt: now };
}

export function ranOutInSilence({ isWitnessed, from, until }: Silence, leaseUntil: number): boolean {
  return isWitnessed && leaseUntil > from && leaseUntil <= until;
}

/** Whether a lease has expired. The time of a witnessed silence does not count: a lease has as much left after it as before. */
export function hasRunOut(silence: Silence, leaseUntil: number, now: number): boolean {
  if (leaseUntil > now || now < silence.graceUntil) return false;
  return !ranOutInSilence(silence, leaseUntil) || now - silence.until >= leaseUntil - silence.from;
}

/** The same rule for a store in one process. Its workers share that process, so every silence is witnessed. */
export class Sweeps {
  #silence = NO_SILENCE;

  note(rhythm: SweepRhythm, now: number): void {
    this.#silence = noteSweep(this.#silence, rhythm, now, 0);
  }

  ranOutInSilence(leaseUntil: number): boolean {
    return ranOutInSilence(this.#silence, leaseUntil);
  }

  hasRunOut(leaseUntil: number, now: number): boolean {
    return hasRunOut(this.#silence, leaseUntil, now);
  }
}

/**
 * A monotonic clock that equals the wall clock at the start of the process. Setting the wall clock later moves no lease and no
 * delay.
 */
export function monotonicNow(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}
