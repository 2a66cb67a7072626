import { Answer } from './answer.js';
import { backoffMs, isPassing } from './backoff.js';
import { AsyncEndpointsProblem } from './errors.js';
import { EventParser } from './event-parser.js';
import type { JobReader } from './job-reader.js';
import { hasEnded, type JobState } from './job-state.js';
import { textOf, TooLongError } from './read-body.js';
import { pause, Scope } from './scope.js';

/** How a stream ended. `unusable`: there is no stream, or no data arrives. */
interface End {
  readonly outcome: 'over' | 'cut' | 'unusable';
  /** When to reconnect, in milliseconds; `null` when the server did not say. */
  readonly againMs: number | null;
}

/** Follows a job by its event stream. Reconnects a broken stream, and polls when there is no stream. */
export class RemoteEvents {
  #lastId = '';
  #lastData = '';
  /** The number of failures in a row, without a new state in between. */
  #failures = 0;

  constructor(private readonly reader: JobReader) {}

  async *follow(signal: AbortSignal): AsyncGenerator<JobState, void, void> {
    const { retry } = this.reader.transport.settings;
    for (;;) {
      const { outcome, againMs } = yield* this.#join(signal);
      if (outcome === 'over') return;
      const delayMs = ++this.#failures <= retry.limit ? backoffMs(this.#failures, againMs, retry) : null;
      if (outcome === 'unusable' || delayMs === null) return yield* this.reader.changes(signal);
      await pause(delayMs, signal);
    }
  }

  async *#join(signal: AbortSignal): AsyncGenerator<JobState, End, void> {
    const scope = new Scope(signal);
    try {
      const response = await this.#open(scope);
      const { status, headers } = response;
      if (status === 200 && headers.get('content-type')?.startsWith('text/event-stream')) {
        return yield* this.#read(response, scope);
      }
      const outcome = isPassing(status) ? 'cut' : 'unusable';
      return { outcome, againMs: new Answer(status, headers, '').retryAfterMs };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof AsyncEndpointsProblem) throw error;
      return { outcome: 'cut', againMs: null };
    } finally {
      // The rest of the stream is not read.
      scope.abort(new DOMException('The stream is no longer followed', 'AbortError'));
      scope.end();
    }
  }

  #open(scope: Scope): Promise<Response> {
    const { events: url, transport } = this.reader;
    const headers = { Accept: 'text/event-stream', ...(this.#lastId && { 'Last-Event-ID': this.#lastId }) };
    return transport.open({ method: 'GET', url, headers, signal: scope.signal, mayRepeat: true }, scope);
  }

  /** When a stream is accepted but silent from the start, a proxy buffers it. */
  async *#read(response: Response, scope: Scope): AsyncGenerator<JobState, End, void> {
    const parser = new EventParser(this.reader.transport.settings.maxResponseBytes);
    let isSilent = true;
    try {
      for await (const text of textOf(response, scope.signal, () => this.#limitSilence(scope))) {
        for (const { id, data } of parser.push(text)) {
          isSilent = false;
          // A stream that repeats the same state and breaks counts as a failure.
          if (data !== this.#lastData) this.#failures = 0;
          [this.#lastId, this.#lastData] = [id, data];
          const state = this.reader.accept(new Answer(200, new Headers(), data));
          yield state;
          if (hasEnded(state)) return { outcome: 'over', againMs: null };
        }
      }
    } catch (error) {
      if (error instanceof TooLongError) throw new Answer(200, response.headers, '').unexpected(error.message);
      if (error instanceof AsyncEndpointsProblem || !isTimeout(scope)) throw error;
      if (isSilent) return { outcome: 'unusable', againMs: null };
    }
    return { outcome: 'cut', againMs: parser.retryMs };
  }

  #limitSilence(scope: Scope): void {
    const { streamIdleMs } = this.reader.transport.settings;
    scope.limit(streamIdleMs, () => new DOMException(`No event within ${streamIdleMs} ms`, 'TimeoutError'));
  }
}

function isTimeout({ signal }: Scope): boolean {
  return signal.aborted && (signal.reason as Error | undefined)?.name === 'TimeoutError';
}
