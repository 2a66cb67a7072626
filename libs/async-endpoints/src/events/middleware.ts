import type { Claim, RequestSnapshot, TraceContext } from '../job/job.js';
import type { Outcome } from '../job/lifecycle.js';

/** A job about to be submitted. */
export interface JobSubmission {
  /** The store of the job: several applications can share a process. */
  readonly store: object;
  readonly name: string;
  readonly snapshot: RequestSnapshot | undefined;
  /** Stored with the job, so that its run continues the trace. Middleware may set it before it calls `next`. */
  trace: TraceContext | undefined;
}

/** A claimed job about to be run. */
export interface JobRun {
  readonly store: object;
  readonly claim: Claim;
}

/** The outcome of a run; null when the claim was lost or revoked, and `cause` says why. */
export interface RunEnd {
  readonly outcome: Outcome | null;
  readonly cause?: unknown;
}

/** Runs around a piece of work, in a span or a context for example. Calls `next` once and returns what it returns. */
export type Middleware<TWork, TResult> = (work: TWork, next: () => Promise<TResult>) => Promise<TResult>;

/** The middleware around one kind of work, for all applications of the process. The one added last is the outermost. */
export class MiddlewareList<TWork extends { readonly store: object }, TResult> {
  #entries: readonly { readonly middleware: Middleware<TWork, TResult> }[] = [];

  get size(): number {
    return this.#entries.length;
  }

  /**
   * @param store only around work of this store; default: of every store
   * @returns a function that removes it
   */
  add(given: Middleware<TWork, TResult>, store?: object): () => void {
    const middleware: typeof given = (work, next) => (work.store === store ? given(work, next) : next());
    const added = { middleware: store ? middleware : given };
    this.#entries = [...this.#entries, added];
    return () => {
      this.#entries = this.#entries.filter((entry) => entry !== added);
    };
  }

  run<T extends TResult>(work: TWork, action: () => Promise<T>): Promise<T> {
    let next = action;
    for (const { middleware } of this.#entries) {
      const inner = next;
      next = () => middleware(work, inner) as Promise<T>;
    }
    return next();
  }
}

/** Around each submission; it resolves with the job, and rejects when the submission is refused. */
export const SUBMIT_MIDDLEWARE = new MiddlewareList<JobSubmission, { readonly id: string }>();

/** Around each run of a handler; it never rejects. */
export const RUN_MIDDLEWARE = new MiddlewareList<JobRun, RunEnd>();
