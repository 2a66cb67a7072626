/** The work of every side, with a payload of about 60 bytes of JSON. */
export const JOB_NAME = 'Noop';

export function requestOf(n) {
  return { n, text: `the quick brown fox jumps over dog ${String(n).padStart(7, '0')}` };
}

/**
 * The result of the handler: wrong when the request is not the one that was sent.
 *
 * @param request with `items`, the result is a list of so many objects of 100 bytes beside the rest
 */
export function resultOf({ n, text, items }) {
  const echo = Number(text.slice(-7)) * 2 + text.length;
  return items === undefined ? { n, echo } : { n, echo, list: Array.from({ length: items }, itemOf) };
}

function itemOf(_, index) {
  return {
    id: index + 10_000,
    name: `item ${index + 10_000}`,
    tags: ['one', 'two', 'three'],
    price: 12.5,
    isInStock: true,
  };
}

/** The requests that a handler was called with, and their times. */
export class Calls {
  #seen;
  #at;
  count = 0;

  constructor(size, withTimes = false) {
    this.#seen = new Uint8Array(size);
    this.#at = withTimes ? new Float64Array(size) : undefined;
  }

  note(n) {
    if (this.#at) this.#at[n] = monotonicMicros();
    this.count++;
    this.#seen[n]++;
  }

  /** The number of different requests. */
  get distinct() {
    return this.#seen.reduce((sum, times) => sum + (times > 0 ? 1 : 0), 0);
  }

  get times() {
    return [...(this.#at ?? [])];
  }

  /** @throws Error unless every request from 0 was handled exactly once */
  check() {
    const wrong = this.#seen.findIndex((times) => times !== 1);
    if (wrong >= 0) throw new Error(`the handler was called ${this.#seen[wrong]} times with request ${wrong}`);
  }
}

/** The results that were read back. */
export class Results {
  #seen;
  count = 0;

  constructor(size) {
    this.#seen = new Uint8Array(size);
  }

  note(result) {
    const n = result?.n;
    if (!(n < this.#seen.length) || result.echo !== resultOf(requestOf(n)).echo)
      throw new Error(`a job has the wrong result ${JSON.stringify(result)}`);
    this.count++;
    if (this.#seen[n]++) throw new Error(`two jobs have the result of request ${n}`);
  }

  /** @throws Error when a result is missing */
  check() {
    const missing = this.#seen.indexOf(0);
    if (missing >= 0) throw new Error(`request ${missing} has no result`);
  }
}

/** Comparable between the processes of one machine. */
export function monotonicMicros() {
  return Number(process.hrtime.bigint() / 1_000n);
}

/** Calls `one` for every number from `from`, `inFlight` at a time; how long it took, in ms. */
export async function timedCalls({ from = 0, count, inFlight }, one) {
  let next = from;
  const end = from + count;
  const lane = async () => {
    while (next < end) await one(next++);
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: inFlight }, lane));
  return performance.now() - startedAt;
}

const BATCH = 100;
const BATCHES_IN_FLIGHT = 4;

/** Calls `many` with every number from 0, a hundred at a time, some batches at once; how long it took, in ms. */
export function batchedCalls({ count }, many) {
  return timedCalls({ count: Math.ceil(count / BATCH), inFlight: BATCHES_IN_FLIGHT }, (batch) => {
    const from = batch * BATCH;
    return many(Array.from({ length: Math.min(BATCH, count - from) }, (_, n) => from + n));
  });
}

/** Calls `one` for every number, each some ms after the last was answered, so that the worker is idle again. */
export async function pacedCalls({ count }, one) {
  const at = [];
  for (let n = 0; n < count; n++) {
    await new Promise((resolve) => setTimeout(resolve, 4 + Math.random() * 6));
    at.push(monotonicMicros());
    await one(n);
  }
  return at;
}

/** The heap in bytes when all garbage is gone. */
export function heapBytes() {
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
