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
  /** Where the endpoint is, below `baseUrl`, with its query if it takes one. Default: as `routes` of the client say. */
  path?: string | undefined;
  /** Default `POST`, or as `routes` of the client say. */
  method?: SubmissionMethod | undefined;
  /**
   * Makes the submission one with every other of this key, for as long as the server remembers: 1 to 255 visible ASCII
   * characters without spaces. Default none.
   */
  idempotencyKey?: string | undefined;
  /** The id that the job will have: a UUID, for this request alone. Default: a random one, unless a key is given. */
  requestId?: string | undefined;
  /**
   * How long the server is asked to hold its response until the job is terminal, in milliseconds, rounded up to seconds; at most an
   * hour. Default 0.
   */
  waitMs?: number | undefined;
}

/**
 * Submits jobs to an application's async endpoints and follows them. On `fetch` alone, in browsers and on Node.
 *
 * What may be sent twice is sent again after a network error, 429, 502, 503 or 504, when the server's `Retry-After` or a
 * growing delay is over: everything but a refusal. Submissions may, because they carry an id or a key.
 *
 * @example
 * const client = new AsyncEndpointsClient({ baseUrl: 'https://example.com', routes: { ProcessData: '/api/process-data' } });
 * const job = await client.submit(ProcessData, { data: 'text' });
 * const { processedData } = await job.wait({ timeoutMs: 60_000 });
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
   * Submits a job: sends the request as the JSON body (none for `undefined`) to the job's endpoint.
   *
   * @param job its definition; or its name, where only the type of the definition is to be had:
   *   `submit<typeof ProcessData>('ProcessData', …)`
   * @throws AsyncEndpointsProblem for a refusal, such as `QUEUE_FULL` where that outlasts the repeats
   * @throws NoAnswerError where none came: submit again with the same `requestId` or `idempotencyKey` to find out
   * @throws InvalidOptionError for a wrong option, or where nothing says which path the endpoint has
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
   * A job that was submitted before, here or elsewhere. Nothing is asked until one of its methods is called.
   *
   * @param job its definition or name, as for {@link submit}
   * @param idOrLocation its id, for status routes at `statusPath`; or what `Location` or `location` of the job said
   * @throws InvalidOptionError for what is neither, or a location outside `baseUrl`'s origin
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
    // An application may answer a submission with something of its own.
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

/** What the server knows a repeated submission by: always something. */
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

/** A random UUID, also in pages that came over plain HTTP, where browsers have no `crypto.randomUUID`. */
export function randomUuid(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
