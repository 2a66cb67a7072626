import { readRetryAfter } from './backoff.js';
import { AsyncEndpointsProblem } from './errors.js';
import { isJobState, type JobState } from './job-state.js';

/** An answer of the server that was read to its end. */
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

  /** Whether the server held it, or would have, as `Prefer: wait` asked; hidden from pages of another origin. */
  get hasWaited(): boolean {
    return /\bwait=/.test(this.headers.get('preference-applied') ?? '');
  }

  /** The JSON in the body, or its text where it is none. */
  get body(): unknown {
    try {
      return JSON.parse(this.text) as unknown;
    } catch {
      return this.text;
    }
  }

  /** The job in the body; `null` where there is none. */
  get job(): JobState | null {
    const { body } = this;
    return isJobState(body) ? body : null;
  }

  /** An answer that makes no sense, as an error. */
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

  /** What it says of why it is no success: RFC 9457, or the errors of Nest. */
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
