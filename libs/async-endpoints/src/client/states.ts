import type { JobReader } from './job-reader.js';
import { hasEnded, type JobState } from './job-state.js';
import { Scope } from './scope.js';

/**
 * An iterator that ends at once when the caller leaves it, even while it waits for the next state; a generator alone would wait
 * first. It sends no request before the first `next`, and none for a job that is known to be terminal.
 */
export function statesUntilLeft(
  reader: JobReader,
  signal: AbortSignal | undefined,
  follow: (until: AbortSignal) => AsyncGenerator<JobState, void, void>,
): AsyncIterableIterator<JobState> {
  const left = new AbortController();
  const states = changesIn(reader, signal, left.signal, follow);
  const iterator: AsyncIterableIterator<JobState> = {
    next: () => states.next(),
    return: () => {
      left.abort();
      return states.return();
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}

/** Drops repeats: a new stream or a poll can return the same state again. */
async function* changesIn(
  reader: JobReader,
  signal: AbortSignal | undefined,
  left: AbortSignal,
  follow: (until: AbortSignal) => AsyncGenerator<JobState, void, void>,
): AsyncGenerator<JobState, void, void> {
  const scope = new Scope(signal);
  left.addEventListener('abort', () => scope.abort(left.reason), { once: true });
  let last = '';
  try {
    scope.signal.throwIfAborted();
    if (reader.state && hasEnded(reader.state)) return yield reader.state;
    for await (const state of follow(scope.signal)) {
      const text = JSON.stringify(state);
      if (text !== last) yield state;
      last = text;
    }
  } catch (error) {
    if (!left.aborted) throw error;
  } finally {
    scope.end();
  }
}
