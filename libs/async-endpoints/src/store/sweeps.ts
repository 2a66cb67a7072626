import type { SweepRhythm } from './verbs.js';

/**
 * What a store remembers of its sweeps, and of the last **silence**: a longer time without any. Leases run out in a silence
 * without their workers' fault, because nobody reached the store. It is **witnessed** where a process that swept before it
 * sweeps again after it; without a witness all workers may have stopped by themselves. Times are in ms by the store's clock.
 */
export interface Silence {
  /** 0 before the first sweep. */
  readonly lastSweepAt: number;
  readonly from: number;
  readonly until: number;
  /** Until then nothing is recovered, so that living workers can renew. */
  readonly graceUntil: number;
  readonly isWitnessed: boolean;
}

export const NO_SILENCE: Silence = { lastSweepAt: 0, from: 0, until: 0, graceUntil: 0, isWitnessed: false };

/** @param sweptAt when the process that sweeps did so last; null for its first time */
export function noteSweep(
  known: Silence,
  { silenceMs, leaseMs }: SweepRhythm,
  now: number,
  sweptAt: number | null,
): Silence {
  const { lastSweepAt, graceUntil } = known;
  if (lastSweepAt > 0 && now - lastSweepAt > silenceMs) {
    // One soon after another is the same to leases that could not be renewed in between.
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

/** What a lease had left when a witnessed silence began, it has again when it ends. */
export function hasRunOut(silence: Silence, leaseUntil: number, now: number): boolean {
  if (leaseUntil > now || now < silence.graceUntil) return false;
  return !ranOutInSilence(silence, leaseUntil) || now - silence.until >= leaseUntil - silence.from;
}

/** The same for a store that lives in one process: its workers share the process, so that every silence has a witness. */
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

/** In step with the wall clock when the process began; whoever sets that one later moves no lease and no delay. */
export function monotonicNow(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}
