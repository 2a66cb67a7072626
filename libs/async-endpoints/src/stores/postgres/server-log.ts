import { AsyncEndpointsError } from '../../job/errors.js';
import { withoutArguments } from '../../store/unavailable.js';

const REFUSALS = {
  STORE_FULL: 'PostgreSQL has no room to grow',
  STORE_READ_ONLY: 'PostgreSQL accepts no changes',
};

/** Calls that only read succeed meanwhile, so they do not show that changes are accepted again. */
const QUIET_MS = 10_000;

/** Publishes one notice when the server fails or refuses changes, and one when that is over. */
export class ServerLog {
  /** Null before the first reply. */
  #isThere: boolean | null = null;
  #refusal: keyof typeof REFUSALS | undefined;
  #refusedAt = 0;

  constructor(
    private readonly notify: (message: string) => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  replied(): void {
    if (this.#isThere === false) this.notify('PostgreSQL can be used again');
    this.#isThere = true;
    if (!this.#refusal || this.now() - this.#refusedAt < QUIET_MS) return;
    this.#refusal = undefined;
    this.notify(`PostgreSQL has refused no change for ${QUIET_MS / 1_000} s`);
  }

  /** A failure before the first reply is reported by the boot. */
  failed(error: unknown): void {
    if (this.#isThere === true) this.notify(`${unusable(error)}; retrying`);
    this.#isThere = false;
  }

  /** @returns the error for the caller */
  refused(code: keyof typeof REFUSALS, error: unknown): AsyncEndpointsError {
    const cause = withoutArguments(error);
    if (this.#refusal !== code) this.notify(`${REFUSALS[code]}: ${cause.message}`);
    this.#refusal = code;
    this.#refusedAt = this.now();
    return new AsyncEndpointsError(code, undefined, { cause });
  }
}

/** The message about an error, with its reason. */
export function unusable(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  const reason = error instanceof AsyncEndpointsError && cause !== undefined ? cause : error;
  return `PostgreSQL cannot be used: ${withoutArguments(reason).message}`;
}
