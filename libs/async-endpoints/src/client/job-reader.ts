import type { Answer } from './answer.js';
import { hasEnded, type JobState } from './job-state.js';
import type { Locations } from './locations.js';
import { pause } from './scope.js';
import type { Transport } from './transport.js';

/** Where the server does not say how long to wait before asking again. */
const ASK_AGAIN_MS = 1_000;
/** However often a job changes: asked no more often than this. While it does not change, twice as long each time, up to … */
const LEAST_INTERVAL_MS = 100;
const LEAST_INTERVAL_DOUBLINGS = 5;

/** The job as it is known here, and the ways to know more. */
export class JobReader {
  #state: JobState | null = null;
  #entityTag: string | null = null;

  /** @param name the job's, as its definition says */
  constructor(
    private readonly name: string,
    readonly monitor: URL,
    readonly transport: Transport,
    private readonly locations: Locations,
  ) {}

  get state(): JobState | null {
    return this.#state;
  }

  get events(): URL {
    const link = this.#state?.links?.events ?? `${this.monitor.pathname.replace(/\/$/, '')}/events`;
    return this.locations.linked(link, this.monitor);
  }

  /**
   * What is known from now on.
   *
   * @throws AsyncEndpointsProblem `UNEXPECTED_ANSWER` for what is no job, or one of another name: its result is of another type
   */
  accept(answer: Answer): JobState {
    const { job } = answer;
    if (!job) throw answer.unexpected(`${this.monitor.pathname} answered no job.`);
    if (job.name !== this.name) throw answer.unexpected(`Job ${job.id} is a ${job.name}, no ${this.name}.`);
    // Only what a GET of the monitor is answered has the tag of the monitor.
    this.#entityTag = null;
    return (this.#state = job);
  }

  /** Asks once, and is answered at once. */
  async refresh(signal?: AbortSignal): Promise<JobState> {
    const { state } = await this.#get(0, signal);
    return state;
  }

  async cancel(signal?: AbortSignal): Promise<JobState> {
    const answer = await this.transport.send({ method: 'DELETE', url: this.monitor, signal, mayRepeat: true });
    if (!answer.isSuccess) throw answer.problem();
    return this.accept(answer);
  }

  /**
   * The job as it stands, then as it comes to be, until it has ended: by answers that the server holds while nothing
   * changes, else by asking again when it says so. Changes in quick succession may be seen as one.
   */
  async *changes(signal: AbortSignal): AsyncGenerator<JobState, void, void> {
    const { longPollMs, retry } = this.transport.settings;
    const longPollSeconds = Math.floor(longPollMs / 1_000);
    if (this.#state && hasEnded(this.#state)) return yield this.#state;
    let unchanged = 0;
    for (let isFirst = true; ; isFirst = false) {
      // Held until it is another state than the one that is known: that is to be known first.
      const seconds = isFirst && this.#entityTag === null ? 0 : longPollSeconds;
      const askedAt = performance.now();
      const before = this.#state?.lastUpdatedAt;
      const { answer, state } = await this.#get(seconds, signal);
      unchanged = before === state.lastUpdatedAt ? unchanged + 1 : 0;
      if (answer.status !== 304) yield state;
      if (hasEnded(state)) return;
      // Whatever the server says: `Retry-After: 0`, or that it has held its answer.
      const interval = LEAST_INTERVAL_MS * 2 ** Math.min(unchanged, LEAST_INTERVAL_DOUBLINGS);
      const least = interval - (performance.now() - askedAt);
      if (seconds === longPollSeconds) {
        const asked = Math.min(answer.retryAfterMs ?? ASK_AGAIN_MS, Math.max(retry.maxDelayMs, ASK_AGAIN_MS));
        await pause(answer.hasWaited ? least : Math.max(asked, least), signal);
      }
    }
  }

  async #get(waitSeconds: number, signal?: AbortSignal): Promise<{ answer: Answer; state: JobState }> {
    const known = this.#entityTag === null ? null : this.#state;
    const answer = await this.transport.send({
      method: 'GET',
      url: this.monitor,
      headers: { ...(this.#entityTag !== null && { 'If-None-Match': this.#entityTag }) },
      signal,
      waitSeconds,
      mayRepeat: true,
    });
    if (answer.status === 304 && known) return { answer, state: known };
    if (!answer.isSuccess) throw answer.problem();
    const state = this.accept(answer);
    this.#entityTag = answer.headers.get('etag');
    return { answer, state };
  }
}
