import { invalidOption } from '../../job/errors.js';
import type { NewJob } from '../../job/job.js';
import { Batcher } from '../../store/batcher.js';
import type { QueueLimits, Submission } from '../../store/job-store.js';
import type { Execute } from '../../store/transaction.js';
import { submitAlike, type Submitted } from './batches.js';
import { submitArguments, type SubmitReply } from './rows.js';

interface Calls {
  readonly batcher: Batcher<Submitted, Submission>;
  /** How many calls have no answer yet. */
  count: number;
}

/** Submissions in transactions of callers. Those that come while one of the same transaction runs go together in the next statement. */
export class PostgresTransactions {
  readonly #calls = new WeakMap<Execute, Calls>();

  constructor(
    private readonly schema: string,
    private readonly now: () => number | null,
  ) {}

  async submit(execute: Execute, jobs: readonly NewJob[], limits: QueueLimits): Promise<Submission[]> {
    const calls = this.#calls.get(execute) ?? this.#begin(execute);
    calls.count++;
    try {
      return await Promise.all(jobs.map((job) => calls.batcher.push({ job, limits })));
    } finally {
      // A client of a pool serves other requests later, in other async contexts.
      if (--calls.count === 0) this.#calls.delete(execute);
    }
  }

  #begin(execute: Execute): Calls {
    const send = (items: readonly Submitted[]) =>
      submitAlike(items, (jobs, limits) => this.#call(execute, jobs, limits)).catch((error: unknown) =>
        // No half is sent again: an error has ended the transaction.
        items.map(() => Promise.reject<Submission>(error as Error)),
      );
    const calls = {
      batcher: new Batcher(send, { sizeOf: ({ job }: Submitted) => job.payload.length, isEager: true }),
      count: 0,
    };
    this.#calls.set(execute, calls);
    return calls;
  }

  /** @throws AsyncEndpointsError `INVALID_OPTION` when the statement would be a transaction of its own */
  async #call(execute: Execute, jobs: readonly NewJob[], limits: QueueLimits): Promise<SubmitReply> {
    // The casts are such that every driver sends the parameters as they are: postgres.js would write JSON as JSON again.
    const sql = `SELECT "${this.schema}".submit($1::text::json, $2::integer, $3::bigint, $4::boolean, $5::bigint, $6::bigint,
      $7::boolean, $8::bigint)::text AS reply
      WHERE txid_current_if_assigned() IS NOT NULL`;
    const args = submitArguments(jobs, limits, true, this.now());
    let [row] = rowsOf(await execute(sql, args));
    if (!row) {
      // The transaction has written nothing yet. An id of a transaction that ends with this statement is not there for the next one.
      await execute('SELECT txid_current()', []);
      [row] = rowsOf(await execute(sql, args));
    }
    if (!row) throw invalidOption('within has no open transaction: it has ended, or never began.');
    return JSON.parse(row.reply) as SubmitReply;
  }
}

function rowsOf(rows: unknown): readonly { readonly reply: string }[] {
  const isReply = (row: unknown) => typeof (row as { reply?: unknown } | null)?.reply === 'string';
  if (Array.isArray(rows) && rows.every(isReply)) return rows as { reply: string }[];
  throw invalidOption('The function of within did not return its rows as objects.');
}
