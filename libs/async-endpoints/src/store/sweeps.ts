import type { SweepRhythm } from './verbs.js';

/**
 * When sweeps came, and the last silence between them: the process was suspended, or something blocked it. All workers of
 * the store share its process, so that every silence has a witness.
 */
export class Sweeps {
  #lastAt: number | undefined;
  #silentFrom = 0;
  #silentUntil = 0;
  #graceUntil = 0;

  note({ silenceMs, leaseMs }: SweepRhythm, now: number): void {
    const last = this.#lastAt ?? now;
    if (now - last > silenceMs) {
      // One soon after another is the same to leases that could not be renewed in between.
      if (last >= this.#graceUntil) this.#silentFrom = last;
      this.#silentUntil = now;
      this.#graceUntil = now + leaseMs;
    }
    this.#lastAt = now;
  }

  ranOutInSilence(leaseUntil: number): boolean {
    return leaseUntil > this.#silentFrom && leaseUntil <= this.#silentUntil;
  }

  /** What a lease had left when the silence began, it has again when it ends. */
  hasRunOut(leaseUntil: number, now: number): boolean {
    if (leaseUntil > now || now < this.#graceUntil) return false;
    return !this.ranOutInSilence(leaseUntil) || now - this.#silentUntil >= leaseUntil - this.#silentFrom;
  }
}

/** In step with the wall clock when the process began; whoever sets that one later moves no lease and no delay. */
export function monotonicNow(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}
