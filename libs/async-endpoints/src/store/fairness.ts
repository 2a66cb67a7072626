import { checkInteger, LONGEST_MS } from '../job/bounds.js';

/** One minute for each step of priority. */
export const PRIORITY_AGING_MS = 60_000;

/** An option of every store. */
export interface PriorityAging {
  /**
   * How long a job must wait to rank one step of priority higher, in ms. A job of priority 0 that has waited ten times this long
   * is claimed before a new job of priority 10, so no job waits forever. 0 means strict order by priority. Use the same value in
   * every worker. Default one minute.
   */
  priorityAgingMs?: number;
}

/** @throws AsyncEndpointsError `INVALID_OPTION` */
export function agingOf({ priorityAgingMs = PRIORITY_AGING_MS }: PriorityAging): number {
  return checkInteger('priorityAgingMs', priorityAgingMs, 0, LONGEST_MS);
}

/** Rotates the items, so that each call begins with another one. Otherwise small claims would always serve the same name. */
export class Turns {
  #turn = 0;

  rotate<T>(items: Iterable<T>): T[] {
    const all = [...items];
    const start = this.#turn++ % Math.max(all.length, 1);
    return [...all.slice(start), ...all.slice(0, start)];
  }
}
