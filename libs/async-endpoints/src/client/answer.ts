import { readRetryAfter } from './backoff.js';
import { AsyncEndpointsProblem } from './errors.js';
import { isJobState, type JobState } from './job-state.js';

/** A complete response of the server. */
export class Answer {
  constructor(
    readonly status: number,
    readonly headers: Headers,
    readonly text: string,
  ) {}

  get isSuccess(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  get retryAfterMs(): number | null {
    return readRetryAfter(this.headers);
  }

  /** Whether the server applied `Prefer: wait`. Pages of another origin cannot see this header. */
  get hasWaited(): boolean {
    return /\bwait=/.test(this.headers.get('preference-applied') ?? '');
  }

  /** The parsed JSON of the body, or its text when it is not JSON. */
  get body(): unknown {
    try {
      return JSON.parse(this.text) as unknown;
    } catch {
      return this.text;
    }
  }

  /** The job in the body; `null` when there is none. */
  get job(): JobState | null {
    const { body } = this;
    return isJobState(body) ? body : null;
  }

  /** The error for a response that is not as expected. */
  unexpected(detail: string): AsyncEndpointsProblem {
    const { status, retryAfterMs, body } = this;
    return new AsyncEndpointsProblem({
      code: 'UNEXPECTED_ANSWER',
      status,
      title: 'The answer cannot be understood.',
      detail,
      retryAfterMs,
      body,
    });
  }

  /** The problem of an error response: RFC 9457, or the error format of Nest. */
  problem(): AsyncEndpointsProblem {
    const { status, retryAfterMs, body } = this;
    const said = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
    const message = Array.isArray(said.message) ? said.message.join('; ') : said.message;
    const title = textOf(said.title) ?? textOf(said.error) ?? `HTTP ${status}`;
    return new AsyncEndpointsProblem({
      code: textOf(said.code) ?? `HTTP_${status}`,
      status,
      title,
      detail: textOf(said.detail) ?? textOf(message) ?? title,
      retryAfterMs,
      body,
    });
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
