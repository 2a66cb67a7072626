import { checkInteger, LONGEST_MS } from '../job/bounds.js';

/** A minute for each step of priority. */
export const PRIORITY_AGING_MS = 60_000;

/** What every store takes. */
export interface PriorityAging {
  /**
   * By how much waiting raises a job by one step of priority, in ms: a job of priority 0 that is due for ten times as long goes
   * before one of priority 10 that has just come, so none waits for ever. 0 goes strictly by priority. The same in every
   * worker. Default one minute.
   */
  priorityAgingMs?: number;
}

/** @throws AsyncEndpointsError `INVALID_OPTION` */
export function agingOf({ priorityAgingMs = PRIORITY_AGING_MS }: PriorityAging): number {
  return checkInteger('priorityAgingMs', priorityAgingMs, 0, LONGEST_MS);
}

/** Has each call begin with another item, or small claims would always serve the same one. */
export class Turns {
  #turn = 0;

  rotate<T>(items: Iterable<T>): T[] {
    const all = [...items];
    const start = this.#turn++ % Math.max(all.length, 1);
    return [...all.slice(start), ...all.slice(0, start)];
  }
}
