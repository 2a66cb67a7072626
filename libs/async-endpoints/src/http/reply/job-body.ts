import { decodeResult } from '../../job/decode-job.js';
import type { Links } from '../../job/job-representation.js';
import type { JobRecord } from '../../job/job.js';
import { represent, representAsText } from './represent.js';

/** The pairs of first and last character of stored JSON. */
const CLOSING: Readonly<Record<string, string>> = { '{': '}', '[': ']', '"': '"' };

type WithResult = JobRecord & { readonly result: string };

/** Whether there is a stored result other than null. */
export function hasResult(job: JobRecord): job is WithResult {
  return job.result !== null && job.result !== 'null';
}

/**
 * A body in two forms: JSON text with the result as the store has it, and a value for code of the application that reads the body.
 * See docs/decisions/0101.
 */
export abstract class JsonBody {
  /** @throws Error when the result cannot be JSON. The inside of an object, a list or a string is not looked at: the worker wrote it */
  constructor(protected readonly job: JobRecord) {
    const { result } = job;
    if (result === null) return;
    const closing = CLOSING[result.charAt(0)];
    if (closing === undefined || result.length < 2 || !result.endsWith(closing)) decodeResult(job);
  }

  abstract get text(): string;
  abstract get value(): unknown;
}

/** The representation of a job. */
export class JobBody extends JsonBody {
  /** @param showsAttempts as `http.showAttempts` */
  constructor(
    job: JobRecord,
    private readonly links: Links,
    private readonly showsAttempts: boolean,
  ) {
    super(job);
  }

  get text(): string {
    return representAsText(this.job, this.links, this.showsAttempts);
  }

  get value(): unknown {
    return represent(this.job, decodeResult(this.job), this.links, this.showsAttempts);
  }
}

/** The bare result of a job that has one. */
export class ResultBody extends JsonBody {
  get text(): string {
    return (this.job as WithResult).result;
  }

  get value(): unknown {
    return decodeResult(this.job);
  }
}

/** A body as JSON text. */
export function textOfBody(body: unknown): string {
  return body instanceof JsonBody ? body.text : JSON.stringify(body);
}
