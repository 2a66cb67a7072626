import type { Answer } from './answer.js';
import { hasEnded, type JobState } from './job-state.js';
import type { Locations } from './locations.js';
import { pause } from './scope.js';
import type { Transport } from './transport.js';

/** The interval of polling when the server sends no `Retry-After`. */
const ASK_AGAIN_MS = 1_000;
/** The shortest interval of polling, however often a job changes. It doubles while the job does not change, up to a factor of: */
const LEAST_INTERVAL_MS = 100;
const LEAST_INTERVAL_DOUBLINGS = 5;

/** The last known state of a job, and the requests that update it. */
export class JobReader {
  #state: JobState | null = null;
  #entityTag: string | null = null;

  /** @param name the job name of the definition */
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
   * Takes the state from a response.
   *
   * @throws AsyncEndpointsProblem `UNEXPECTED_ANSWER` when it is not a job, or a job of another name, whose result has another
   * type
   */
  accept(answer: Answer): JobState {
    const { job } = answer;
    if (!job) throw answer.unexpected(`${this.monitor.pathname} answered no job.`);
    if (job.name !== this.name) throw answer.unexpected(`Job ${job.id} is a ${job.name}, no ${this.name}.`);
    // Only the response to a GET of the status route has its entity tag.
    this.#entityTag = null;
    return (this.#state = job);
  }

  /** Reads the state once, without waiting. */
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
   * Yields the current state of the job, then each change, until the job is terminal. It uses responses that the server holds
   * until a change, or polls as the server asks. Quick changes may be merged into one.
   */
  async *changes(signal: AbortSignal): AsyncGenerator<JobState, void, void> {
    const { longPollMs, retry } = this.transport.settings;
    const longPollSeconds = Math.floor(longPollMs / 1_000);
    if (this.#state && hasEnded(this.#state)) return yield this.#state;
    let unchanged = 0;
    for (let isFirst = true; ; isFirst = false) {
      // The server holds a response until the state differs from the known one, so the first request does not wait.
      const seconds = isFirst && this.#entityTag === null ? 0 : longPollSeconds;
      const askedAt = performance.now();
      const before = this.#state?.lastUpdatedAt;
      const { answer, state } = await this.#get(seconds, signal);
      unchanged = before === state.lastUpdatedAt ? unchanged + 1 : 0;
      if (answer.status !== 304) yield state;
      if (hasEnded(state)) return;
      // The lower bound, also for `Retry-After: 0` or a server that claims to have held its response.
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
