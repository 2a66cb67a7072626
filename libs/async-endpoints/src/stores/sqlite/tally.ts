import { isWaiting, type JobStatus } from '../../job/job.js';
import { codeOf } from './rows.js';
import type { Statements } from './statements.js';

/** The number and bytes of waiting jobs. */
export interface Waiting {
  count: number;
  bytes: number;
}

interface Change extends Waiting {
  readonly name: string;
  readonly status: number;
}

/** Counts the jobs of each name and status. Collects the changes of a transaction, so that each row of the tally is written once. */
export class Tally {
  readonly #changes = new Map<string, Change>();

  constructor(private readonly statements: Statements) {}

  /** @param name as it is stored @param bytes counts for waiting jobs only */
  add(name: string, status: JobStatus, count: number, bytes: number): void {
    const code = codeOf(status);
    const key = `${code}${name}`;
    const change = this.#changes.get(key) ?? { name, status: code, count: 0, bytes: 0 };
    change.count += count;
    if (isWaiting(status)) change.bytes += bytes;
    this.#changes.set(key, change);
  }

  /** The waiting jobs of all names together, or of one. @param name as it is stored */
  waiting(name?: string): Waiting {
    this.flush();
    const { waiting, waitingOf } = this.statements;
    return (name === undefined ? waiting.get() : waitingOf.get(name)) as Waiting;
  }

  /** Call it at the end of a transaction. */
  flush(): void {
    for (const { name, status, count, bytes } of this.#changes.values()) {
      if (count !== 0 || bytes !== 0) this.statements.count.run(name, status, count, bytes);
    }
    this.#changes.clear();
  }

  /** Call it when a transaction was rolled back. */
  discard(): void {
    this.#changes.clear();
  }
}
