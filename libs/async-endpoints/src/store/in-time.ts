/** A timer that is later than that says that the event loop stood still: the answer may be here, unread. */
const LATE_MS = 20;
/** For so long the event loop may read what has come meanwhile. */
const READING_MS = 50;

export interface Patience {
  /** A number that changes as long as bytes arrive, or leave: then the answer is on its way. */
  readonly moved: () => number;
  /** How often such a call may take its time, at most. */
  readonly times: number;
}

/** A call was not answered in time. */
export class NoAnswer extends Error {
  /** @param isSilent whether nothing moved in that time */
  constructor(
    timeoutMs: number,
    readonly isSilent: boolean,
  ) {
    super(`No answer within ${timeoutMs} ms`);
  }
}

/**
 * What the call answers. A call that is late because this process was busy with something else is not given up before the
 * process has had time to read the answer.
 *
 * @throws NoAnswer where there is no answer after as many ms; the call goes on unheard
 */
export function inTime<T>(call: Promise<T>, timeoutMs: number, patience: Patience = NONE): Promise<T> {
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
    call.then(
      (answer) => {
        clearTimeout(timer);
        resolve(answer);
      },
      (cause: Error) => {
        clearTimeout(timer);
        reject(cause);
      },
    );
  });
}

const NONE: Patience = { moved: () => 0, times: 1 };
