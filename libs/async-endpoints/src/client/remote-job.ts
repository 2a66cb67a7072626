import type { JobResult } from '../job/define-job.js';
import { JobCanceledError, JobFailedError, JobWaitTimeoutError } from './errors.js';
import type { JobReader } from './job-reader.js';
import { hasEnded, type JobState, type StateOf } from './job-state.js';
import { numberFrom0 } from './options.js';
import { RemoteEvents } from './remote-events.js';
import { Scope } from './scope.js';
import { statesUntilLeft } from './states.js';

/** Half an hour, the default timeout of an attempt on the server. */
const TIMEOUT_MS = 1_800_000;

export interface CallOptions {
  /** Aborts the call, which then throws the reason of the signal. The job continues. */
  signal?: AbortSignal | undefined;
}

export interface RemoteWaitOptions extends CallOptions {
  /** How long to wait in total, in milliseconds; `Infinity` for no limit. Default 1,800,000 (half an hour). */
  timeoutMs?: number | undefined;
}

/**
 * A job on the server. {@link AsyncEndpointsClient} creates it. It keeps no connection open between calls.
 *
 * All methods throw `AsyncEndpointsProblem` for a refusal (`JOB_NOT_FOUND` after the job was purged), `NoAnswerError` when the
 * server cannot be reached, and the reason of the signal when it is aborted.
 */
export class RemoteJob<TJob> {
  readonly #reader: JobReader;

  /** @internal */
  constructor(
    /** A lower-case UUID. */
    readonly id: string,
    /** True when this is the job of an earlier submission with the same id or key. */
    readonly isReplay: boolean,
    reader: JobReader,
  ) {
    this.#reader = reader;
  }

  /** The status URL of the job. Keep it, or the id, to come back to the job. */
  get location(): string {
    return this.#reader.monitor.href;
  }

  /** The last known state of the job; null before the first read of a job from `client.job()`. */
  get state(): StateOf<TJob> | null {
    return this.#reader.state as StateOf<TJob> | null;
  }

  /**
   * Waits for the result; `null` for a job without a result. The server holds its response until the job changes. When it does
   * not, the client polls after `Retry-After`.
   *
   * @throws JobFailedError, JobCanceledError
   * @throws JobWaitTimeoutError after `timeoutMs`; the job continues
   * @throws InvalidOptionError when `timeoutMs` is not a number from 0
   */
  async wait({ signal, timeoutMs = TIMEOUT_MS }: RemoteWaitOptions = {}): Promise<JobResult<TJob>> {
    numberFrom0('timeoutMs', timeoutMs, Infinity);
    const scope = new Scope(signal);
    scope.limit(timeoutMs, () => new JobWaitTimeoutError(this.id, timeoutMs));
    try {
      for await (const state of this.#reader.changes(scope.signal)) {
        if (hasEnded(state)) return resultOf(state) as JobResult<TJob>;
      }
      throw new Error('A job that has not ended has no more changes');
    } finally {
      scope.end();
    }
  }

  /**
   * Yields the current state of the job, then each change, progress included, until the job is terminal. The last state contains
   * the outcome: a failed job throws no error. It uses server-sent events and reconnects a broken stream; without event streams
   * it polls. Leaving the loop closes the stream.
   */
  events({ signal }: CallOptions = {}): AsyncIterableIterator<StateOf<TJob>> {
    return statesUntilLeft(this.#reader, signal, (until) =>
      new RemoteEvents(this.#reader).follow(until),
    ) as AsyncIterableIterator<StateOf<TJob>>;
  }

  /**
   * Cancels the job, and aborts the signal of its handler when it is running. Does nothing when the job is already canceled.
   *
   * @returns the job, now `Canceled`
   * @throws AsyncEndpointsProblem `JOB_ALREADY_FINISHED` when the job has completed or failed
   */
  async cancel({ signal }: CallOptions = {}): Promise<StateOf<TJob>> {
    return (await this.#reader.cancel(signal)) as StateOf<TJob>;
  }

  /** Reads the current state. */
  async refresh({ signal }: CallOptions = {}): Promise<StateOf<TJob>> {
    return (await this.#reader.refresh(signal)) as StateOf<TJob>;
  }
}

function resultOf(state: JobState): unknown {
  if (state.status === 'Completed') return state.result;
  if (state.status === 'Canceled') throw new JobCanceledError(state);
  throw new JobFailedError(state, state.error ?? { code: 'JOB_FAILED', message: 'The job failed.' });
}
