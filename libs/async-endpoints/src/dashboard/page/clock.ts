/** A difference below this may be the time that the answer took. */
const MIN_MS = 2_000;
let aheadMs = 0;

/** The time of the server: the clock of the browser may be wrong, and then all ages were. */
export function now(): number {
  return Date.now() + aheadMs;
}

/** @param date the header of that name of an answer */
export function setClock(date: string | null): void {
  const ms = Date.parse(date ?? '') - Date.now();
  if (!Number.isNaN(ms)) aheadMs = Math.abs(ms) < MIN_MS ? 0 : ms;
}
