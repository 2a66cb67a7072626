import { decodeResult } from '../../job/decode-job.js';
import type { JobRepresentation } from '../../job/job-representation.js';
import type { JobRecord } from '../../job/job.js';

const NO_RESULT = '"result":null';

/** What the first and the last character of stored JSON enclose it with. */
const CLOSING: Readonly<Record<string, string>> = { '{': '}', '[': ']', '"': '"' };

type WithResult = JobRecord & { readonly result: string };

/** Whether there is a stored result other than null. */
export function hasResult(job: JobRecord): job is WithResult {
  return job.result !== null && job.result !== 'null';
}

/**
 * A body with a stored result: the JSON text as the store has it, or a value for code of the application that reads the body.
 * See docs/decisions/0101.
 */
export class StoredBody {
  /**
   * @param envelope the representation around the result, which has none yet; absent: the bare result
   * @throws Error when the text cannot be JSON. The inside of an object, a list or a string is not looked at: the worker wrote it
   */
  constructor(
    private readonly job: WithResult,
    private readonly envelope?: JobRepresentation,
  ) {
    const { result } = job;
    const closing = CLOSING[result.charAt(0)];
    if (closing === undefined || result.length < 2 || !result.endsWith(closing)) decodeResult(job);
  }

  get text(): string {
    const { result } = this.job;
    if (!this.envelope) return result;
    const json = JSON.stringify(this.envelope);
    // The first one is ours: what stands before it has no quotes of its own that are not escaped.
    const at = json.indexOf(NO_RESULT) + NO_RESULT.length - 'null'.length;
    return json.slice(0, at) + result + json.slice(at + 'null'.length);
  }

  get value(): unknown {
    const result = decodeResult(this.job);
    return this.envelope ? { ...this.envelope, result } : result;
  }
}

/** A body as JSON text. */
export function textOfBody(body: unknown): string {
  return body instanceof StoredBody ? body.text : JSON.stringify(body);
}
