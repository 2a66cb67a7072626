import type { JobResult } from '../job/define-job.js';
import { JobCanceledError, JobFailedError, JobWaitTimeoutError } from './errors.js';
import type { JobReader } from './job-reader.js';
import { hasEnded, type JobState, type StateOf } from './job-state.js';
import { numberFrom0 } from './options.js';
import { RemoteEvents } from './remote-events.js';
import { Scope } from './scope.js';
import { statesUntilLeft } from './states.js';

/** Half an hour, as the server gives an attempt by default. */
const TIMEOUT_MS = 1_800_000;

export interface CallOptions {
  /** Aborts the call, which then throws the reason of the signal; the job goes on. */
  signal?: AbortSignal | undefined;
}

export interface RemoteWaitOptions extends CallOptions {
  /** How long to wait in all, in milliseconds; `Infinity` for as long as it takes. Default 1,800,000: half an hour. */
  timeoutMs?: number | undefined;
}

/**
 * A job on the server. Made by {@link AsyncEndpointsClient}; holds nothing open between calls.
 *
 * All methods throw `AsyncEndpointsProblem` for a refusal (`JOB_NOT_FOUND` once the job was purged), `NoAnswerError` where
 * the server cannot be reached, and the reason of the signal.
 */
export class RemoteJob<TJob> {
  readonly #reader: JobReader;

  /** @internal */
  constructor(
    /** A lower-case UUID. */
    readonly id: string,
    /** Whether the server knew the submission: this is the job of an earlier one. */
    readonly isReplay: boolean,
    reader: JobReader,
  ) {
    this.#reader = reader;
  }

  /** Where the job can be followed: what to keep, beside or instead of the id, to come back to it. */
  get location(): string {
    return this.#reader.monitor.href;
  }

  /** The last known state of the job; null for a resumed job that was not read yet. */
  get state(): StateOf<TJob> | null {
    return this.#reader.state as StateOf<TJob> | null;
  }

  /**
   * The result, once there is one. The server is asked to hold its answer until something changes; one that does not is
   * asked again when its `Retry-After` says. `null` for a job without a result.
   *
   * @throws JobFailedError, JobCanceledError
   * @throws JobWaitTimeoutError after `timeoutMs`: the job goes on
   * @throws InvalidOptionError for a `timeoutMs` that is no number from 0
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
   * The job as it stands, then as it comes to be, progress included, until it has ended. How it ended is in the last
   * state: nothing is thrown for a failure. By server-sent events, which are joined again where they were cut; where
   * there are none, by asking. Leaving the loop closes the stream.
   */
  events({ signal }: CallOptions = {}): AsyncIterableIterator<StateOf<TJob>> {
    return statesUntilLeft(this.#reader, signal, (until) =>
      new RemoteEvents(this.#reader).follow(until),
    ) as AsyncIterableIterator<StateOf<TJob>>;
  }

  /**
   * Cancels it; the handler's signal is aborted where it runs. A job that is canceled already stays so.
   *
   * @returns the job, now `Canceled`
   * @throws AsyncEndpointsProblem `JOB_ALREADY_FINISHED` for one that has completed or failed
   */
  async cancel({ signal }: CallOptions = {}): Promise<StateOf<TJob>> {
    return (await this.#reader.cancel(signal)) as StateOf<TJob>;
  }

  /** Asks how it stands, now. */
  async refresh({ signal }: CallOptions = {}): Promise<StateOf<TJob>> {
    return (await this.#reader.refresh(signal)) as StateOf<TJob>;
  }
}

function resultOf(state: JobState): unknown {
  if (state.status === 'Completed') return state.result;
  if (state.status === 'Canceled') throw new JobCanceledError(state);
  throw new JobFailedError(state, state.error ?? { code: 'JOB_FAILED', message: 'The job failed.' });
}
