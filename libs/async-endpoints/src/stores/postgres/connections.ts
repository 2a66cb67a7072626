import { Pool, type PoolClient } from 'pg';
import { AsyncEndpointsError } from '../../job/errors.js';
import { inTime } from '../../store/in-time.js';
import { notOpen } from '../../store/lifetime.js';
import { unavailable, withoutArguments } from '../../store/unavailable.js';
import type { PostgresSettings } from './options.js';
import { ServerLog } from './server-log.js';

/** A call that lost a race against another transaction is repeated at once, up to this many tries. */
const MOST_TRIES = 6;
/** serialization_failure, deadlock_detected */
const LOST_RACE = new Set(['40001', '40P01']);
/** lock_not_available: another transaction holds the row or key. The server is reachable. */
const IS_LOCKED = '55P03';
/** Classes of errors that a value in the call causes: data exception, and program limit exceeded. */
const FAULT_OF_ARGUMENTS = /^(22|54)/;

/** The pool of connections, and the translation of its errors. */
export class PostgresConnections {
  #pool: Pool | undefined;
  #isLimited = false;
  #log: ServerLog;

  /** @param notify called once when the server fails or refuses changes, and once when that is over */
  constructor(
    private readonly settings: PostgresSettings,
    private readonly notify: (message: string) => void,
  ) {
    this.#log = new ServerLog(notify);
  }

  get isOpen(): boolean {
    return this.#pool !== undefined;
  }

  open(): void {
    this.#pool = this.settings.pool ?? this.#createPool(true);
    endure(this.#pool);
    this.#log = new ServerLog(this.notify);
  }

  /** @param isLimited whether the server is asked to end statements in time: PgBouncer refuses a client that asks for that */
  #createPool(isLimited: boolean): Pool {
    this.#isLimited = isLimited;
    const { connection, commandTimeoutMs } = this.settings;
    const limits = {
      connectionTimeoutMillis: commandTimeoutMs,
      ...(isLimited && { statement_timeout: commandTimeoutMs }),
    };
    return new Pool({ application_name: 'async-endpoints', ...limits, ...connection });
  }

  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    if (this.settings.pool) pool?.removeListener('error', ignore).removeListener('connect', endureClient);
    else if (pool) await inTime(pool.end(), this.settings.commandTimeoutMs).catch(() => {});
  }

  /** Calls a function of the schema, which returns JSON or null. */
  async call<T>(name: string, ...values: unknown[]): Promise<T> {
    const marks = values.map((_, at) => `$${at + 1}`).join(', ');
    const [row] = await this.query<{ reply: string | null }>(
      `SELECT "${this.settings.schema}".${name}(${marks})::text AS reply`,
      values,
    );
    const reply = row?.reply ?? null;
    return (reply === null || reply === '' ? null : JSON.parse(reply)) as T;
  }

  /**
   * @throws AsyncEndpointsError `STORE_UNAVAILABLE`, `STORE_FULL`, `STORE_READ_ONLY`; any other error is caused by a value in the
   * call
   */
  query<TRow>(text: string, values: readonly unknown[] = []): Promise<TRow[]> {
    return this.with(async (client) => (await client.query(text, [...values])).rows as TRow[]);
  }

  /**
   * Calls `work` with a connection of the pool. Destroys the connection when it did not reply in time or its server accepts no
   * writes.
   */
  async with<T>(work: (client: PoolClient) => Promise<T>, timeoutMs = this.settings.commandTimeoutMs): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        const reply = await this.#try(work, timeoutMs);
        this.#log.replied();
        return reply;
      } catch (error) {
        if (tries < MOST_TRIES && (LOST_RACE.has(codeOf(error)) || this.#isRefusedByPooler(error))) continue;
        throw this.#translated(error);
      }
    }
  }

  async #try<T>(work: (client: PoolClient) => Promise<T>, timeoutMs: number): Promise<T> {
    if (!this.#pool) throw notOpen();
    const startedAt = performance.now();
    const connecting = this.#pool.connect();
    const client = await inTime(connecting, this.settings.commandTimeoutMs).catch((error: unknown) => {
      connecting.then(
        (late) => late.release(),
        () => {},
      );
      throw error;
    });
    client.on('error', ignore);
    let broken: unknown;
    try {
      return await inTime(work(client), Math.max(timeoutMs - (performance.now() - startedAt), 1));
    } catch (error) {
      if (isBroken(error)) broken = error;
      throw error;
    } finally {
      if (broken === undefined) client.removeListener('error', ignore); // else the server may still say why it ended it
      client.release(broken !== undefined);
    }
  }

  #isRefusedByPooler(error: unknown): boolean {
    if (this.settings.pool || !(error as Error).message.includes('unsupported startup parameter')) return false;
    if (this.#isLimited) {
      void this.#pool?.end().catch(ignore);
      this.#pool = this.#createPool(false);
      endure(this.#pool);
    }
    return true;
  }

  #translated(error: unknown): unknown {
    if (error instanceof AsyncEndpointsError) return error;
    const code = codeOf(error);
    if (FAULT_OF_ARGUMENTS.test(code)) return withoutArguments(error);
    if (code === '53100') return this.#log.refused('STORE_FULL', error);
    if (code === '25006') return this.#log.refused('STORE_READ_ONLY', error);
    if (code !== IS_LOCKED && this.isOpen) this.#log.failed(error);
    return unavailable(error);
  }
}

function ignore(): void {}

/** Without these listeners, a connection that the server ends would end the process: an idle one, or one that was just opened. */
function endure(pool: Pool): void {
  pool.on('error', ignore).on('connect', endureClient);
}

function endureClient(client: PoolClient): void {
  client.on('error', ignore);
}

/** Whether the connection must not be used again: it broke, timed out, or leads to a server that shuts down or is a replica. */
function isBroken(error: unknown): boolean {
  const code = codeOf(error);
  return code === '' || !/^[0-9A-Z]{5}$/.test(code) || /^(08|57|25006|53300)/.test(code);
}

/** Whether a call failed because another transaction held a row or a key for too long. */
export function isLocked(error: unknown): error is AsyncEndpointsError {
  return error instanceof AsyncEndpointsError && codeOf(error.cause) === IS_LOCKED;
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
}
