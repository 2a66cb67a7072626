import type { SubmittedPayload } from '../job/define-job.js';
import type { Answer } from './answer.js';
import { JobReader } from './job-reader.js';
import type { AnyJob } from './job-state.js';
import { idOf, Locations } from './locations.js';
import {
  type ClientOptions,
  type HeaderValues,
  LONGEST_WAIT_MS,
  numberFrom0,
  settingsOf,
  type SubmissionMethod,
} from './options.js';
import { type CallOptions, RemoteJob } from './remote-job.js';
import { Transport } from './transport.js';

export interface RemoteSubmitOptions extends CallOptions {
  /** The path of the endpoint below `baseUrl`, with its query if it takes one. Default: from `routes` of the client. */
  path?: string | undefined;
  /** Default: from `routes` of the client, or `POST`. */
  method?: SubmissionMethod | undefined;
  /**
   * Submissions with the same key create one job, for as long as the server remembers the key. 1 to 255 visible ASCII characters
   * without spaces. Default none.
   */
  idempotencyKey?: string | undefined;
  /** The id of the job: a UUID that no other request uses. Default: a random one, unless a key is given. */
  requestId?: string | undefined;
  /**
   * How long the server may hold its response until the job is terminal, in milliseconds, rounded up to seconds; at most an hour.
   * Default 0.
   */
  waitMs?: number | undefined;
}

/**
 * Submits jobs to the async endpoints of an application and follows them. It needs only `fetch`, in browsers and on Node.js.
 *
 * Requests are repeated after a network error, 429, 502, 503 or 504, after the `Retry-After` of the server or a growing delay.
 * This is safe for submissions, because they have an id or a key.
 *
 * @example
 * const client = new AsyncEndpointsClient({ baseUrl: 'https://example.com', routes: { ProcessData: '/api/process-data' } });
 * const job = await client.submit(ProcessData, { data: 'text' }); const { processedData } = await job.wait({ timeoutMs: 60_000
 * });
 */
export class AsyncEndpointsClient {
  readonly #transport: Transport;
  readonly #locations: Locations;

  /** @throws InvalidOptionError for a wrong option */
  constructor(options: ClientOptions = {}) {
    const settings = settingsOf(options);
    this.#transport = new Transport(settings);
    this.#locations = new Locations(settings);
  }

  /**
   * Submits a job: sends the payload as JSON (no body for `undefined`) to the endpoint of the job.
   *
   * @param job its definition; or its name, when only the type of the definition is available:
   *   `submit<typeof ProcessData>('ProcessData', …)`
   * @throws AsyncEndpointsProblem for a refusal, such as `QUEUE_FULL` after all repeats
   * @throws NoAnswerError when no response came: submit again with the same `requestId` or `idempotencyKey` to find out the
   * outcome
   * @throws InvalidOptionError for a wrong option, or when the path of the endpoint is unknown
   */
  async submit<TJob extends AnyJob>(
    job: TJob | TJob['name'],
    payload: SubmittedPayload<TJob>,
    options: RemoteSubmitOptions = {},
  ): Promise<RemoteJob<TJob>> {
    const name = nameOf(job);
    const answer = await this.#transport.send({
      ...this.#locations.endpoint(name, options),
      headers: identityOf(options),
      body: JSON.stringify(payload),
      signal: options.signal,
      mayRepeat: true,
      waitSeconds: Math.ceil(numberFrom0('waitMs', options.waitMs ?? 0, LONGEST_WAIT_MS) / 1_000),
    });
    if (!answer.isSuccess) throw answer.problem();
    return this.#submitted(name, answer);
  }

  /**
   * Returns a job that was submitted before, here or elsewhere. Sends no request until one of its methods is called.
   *
   * @param job its definition or name, as for {@link submit}
   * @param idOrLocation its id, for status routes at `statusPath`; or its `location`, or the `Location` header of the submission
   * @throws InvalidOptionError when it is neither, or is a location outside the origin of `baseUrl`
   */
  job<TJob extends AnyJob>(job: TJob | TJob['name'], idOrLocation: string): RemoteJob<TJob> {
    const reader = this.#reader(nameOf(job), this.#locations.named(idOrLocation));
    return new RemoteJob(idOf(reader.monitor), false, reader);
  }

  #submitted<TJob>(name: string, answer: Answer): RemoteJob<TJob> {
    const said = answer.job;
    const where = answer.headers.get('location') ?? said?.links?.self ?? answer.headers.get('x-async-request-id');
    const location = where ?? said?.id;
    if (location === undefined) throw answer.unexpected('The answer to the submission names no job.');
    const reader = this.#reader(name, this.#locations.monitor(location));
    // An application may replace the response to a submission.
    if (said) reader.accept(answer);
    const isReplay = answer.headers.get('idempotency-replayed') === 'true';
    return new RemoteJob(said?.id ?? idOf(reader.monitor), isReplay, reader);
  }

  #reader(name: string, monitor: URL): JobReader {
    return new JobReader(name, monitor, this.#transport, this.#locations);
  }
}

function nameOf(job: AnyJob | string): string {
  return typeof job === 'string' ? job : job.name;
}

/** The headers by which the server recognises a repeated submission. */
function identityOf({ idempotencyKey, requestId }: RemoteSubmitOptions): HeaderValues {
  const id = requestId ?? (idempotencyKey === undefined ? randomUuid() : undefined);
  return {
    ...(id !== undefined && { 'X-Async-Request-Id': id }),
    ...(idempotencyKey !== undefined && { 'Idempotency-Key': quoted(idempotencyKey) }),
  };
}

function quoted(key: string): string {
  return `"${key.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** A random UUID. Works also in pages that were loaded over plain HTTP, where browsers have no `crypto.randomUUID`. */
export function randomUuid(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
