import type { AsyncEndpointsError, ErrorCode } from '../../job/errors.js';
import { isOfDatabase, translated } from './driver.js';

const WHAT: Partial<Record<ErrorCode, string>> = {
  STORE_FULL: 'has no room to grow',
  STORE_READ_ONLY: 'accepts no changes',
  STORE_UNAVAILABLE: 'cannot be used',
};

/** A full disk has room for small changes now and then: it is mended when nothing has failed for so long. */
const QUIET_MS = 10_000;

/** Tracks why the file cannot be written, and publishes one notice when that changes. */
export class Trouble {
  #present: ErrorCode | undefined;
  #metAt = 0;

  constructor(
    private readonly path: string,
    private readonly notify: (message: string) => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  get isPresent(): boolean {
    return this.#present !== undefined;
  }

  /** The error for what SQLite threw. */
  errorOf(thrown: unknown): AsyncEndpointsError {
    const error = translated(thrown, this.path);
    if (!isOfDatabase(thrown)) return error;
    this.#metAt = this.now();
    if (this.#present === error.code) return error;
    this.#present = error.code;
    const reason = error.cause instanceof Error ? error.cause.message : error.message;
    this.notify(`The database ${this.path} ${WHAT[error.code]}, until this is mended: ${reason}`);
    return error;
  }

  /** A change was written. */
  over(): void {
    if (!this.#present || this.now() - this.#metAt < QUIET_MS) return;
    this.#present = undefined;
    this.notify(`The database ${this.path} accepts changes again`);
  }
}
