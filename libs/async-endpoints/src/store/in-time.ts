import { setTimeout as pause } from 'node:timers/promises';
import { checkDuration, LONGEST_TIMER_MS } from '../job/bounds.js';

/** When a timer is later than this, the event loop was blocked, and the reply may have arrived unread. */
const LATE_MS = 20;
/** How long the event loop then gets to read the reply. */
const READING_MS = 50;

interface Patience {
  /** A number that changes while bytes arrive or leave. While it changes, the reply is on its way. */
  readonly moved: () => number;
  /** How many timeouts such a call may take, at most. */
  readonly times: number;
}

/** The error of a call that got no reply in time. */
export class NoAnswer extends Error {
  /** @param isSilent true when no byte arrived or left in that time */
  constructor(
    timeoutMs: number,
    readonly isSilent: boolean,
  ) {
    super(`No answer within ${timeoutMs} ms`);
  }
}

/**
 * Returns the reply of the call. When the call is late because this process was busy, it gets more time to read the reply.
 *
 * @throws NoAnswer when there is no reply after `timeoutMs`, 24.8 days at most; the call itself is not stopped, its reply is ignored.
 * AsyncEndpointsError `INVALID_OPTION` unless `timeoutMs` is a number from 0
 */
export function inTime<T>(call: Promise<T>, givenMs: number, patience: Patience = NONE): Promise<T> {
  const timeoutMs = checkDuration('timeoutMs', givenMs, LONGEST_TIMER_MS);
  return new Promise<T>((resolve, reject) => {
    let timer: NodeJS.Timeout;
    const from = performance.now();
    let [dueAt, moved] = [from, patience.moved()];
    const wait = (ms: number) => {
      dueAt = performance.now() + ms;
      timer = setTimeout(check, ms);
    };
    const check = () => {
      const now = performance.now();
      const before = moved;
      moved = patience.moved();
      if (now - dueAt > LATE_MS) return wait(Math.min(READING_MS, timeoutMs));
      if (moved !== before && now - from < timeoutMs * patience.times) return wait(timeoutMs);
      return reject(new NoAnswer(timeoutMs, moved === before));
    };
    wait(timeoutMs);
    const ended =
      <V>(settle: (value: V) => void) =>
      (value: V) => {
        clearTimeout(timer);
        settle(value);
      };
    call.then(ended(resolve), ended(reject));
  });
}

const NONE: Patience = { moved: () => 0, times: 1 };

/** Whether the work ends within this time, in ms, at most 24.8 days. Unlike `inTime`, it allows no more for a busy process. */
export async function endsWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  const timer = new AbortController();
  const late = pause(Math.min(ms, LONGEST_TIMER_MS), false, { signal: timer.signal }).catch(() => false);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    timer.abort();
  }
}
