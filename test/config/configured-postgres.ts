import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PostgresServer, startPostgresServer } from '@app/postgres-server';
import { JobStore } from 'nestjs-async-endpoints';
import { aJob, eventually } from 'nestjs-async-endpoints/testing';
import { Client } from 'pg';
import type { ConfiguredApp } from './configured-app.js';

/** A server in which the role `locked` needs a password, and what is found in it. */
export class ConfiguredPostgres {
  private constructor(
    private readonly server: PostgresServer,
    private readonly admin: Client,
  ) {}

  static async start(): Promise<ConfiguredPostgres> {
    const server = await startPostgresServer();
    const admin = new Client(server.url);
    await admin.connect();
    await admin.query(`CREATE ROLE locked SUPERUSER LOGIN PASSWORD 'secret'`);
    const path = join(server.folder, 'data', 'pg_hba.conf');
    await writeFile(path, `host all locked 127.0.0.1/32 scram-sha-256\n${await readFile(path, 'utf8')}`);
    await admin.query('SELECT pg_reload_conf()');
    return new ConfiguredPostgres(server, admin);
  }

  async stop(): Promise<void> {
    await this.admin.end();
    await this.server.stop();
  }

  /** The address for a role, by which its sessions can be told from others. */
  url(user = 'postgres', name = 'pooled'): string {
    return `postgres://${user}@127.0.0.1:${this.server.port}/postgres?application_name=${name}`;
  }

  async empty(): Promise<void> {
    for (const schema of await this.schemas()) await this.admin.query(`DROP SCHEMA "${schema}" CASCADE`);
  }

  /** The schemas that the library has made. */
  async schemas(): Promise<string[]> {
    const { rows } = await this.admin.query<{ schema: string }>(
      `SELECT relnamespace::regnamespace::text AS schema FROM pg_class WHERE relname = 'lease' AND relkind = 'r'`,
    );
    return rows.map(({ schema }) => schema);
  }

  async jobs(): Promise<number> {
    return (await this.admin.query('SELECT FROM async_endpoints.record')).rows.length;
  }

  /** Whether a session with this name listens. */
  async #isListening(name: string): Promise<boolean> {
    const { rows } = await this.admin.query(`SELECT FROM pg_stat_activity WHERE application_name = $1`, [name]);
    return rows.length > 0;
  }

  /** What a call says that finds its table locked. */
  async locked({ nest }: ConfiguredApp): Promise<string> {
    const store = nest.get(JobStore);
    await this.admin.query('BEGIN; LOCK TABLE async_endpoints.job');
    const call = store.find([aJob().id]).then(
      () => 'done',
      ({ code }: { code: string }) => code,
    );
    const late = new Promise<string>((resolve) => setTimeout(resolve, 3_000, 'late'));
    const answer = await Promise.race([call, late]);
    await this.admin.query('ROLLBACK');
    await call;
    return answer;
  }

  /** The `synchronous_commit` of a claim's transaction. */
  async commitOfClaim({ nest }: ConfiguredApp): Promise<string | undefined> {
    await this.admin.query(`
      CREATE TABLE async_endpoints.noted (value text);
      CREATE FUNCTION async_endpoints.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO async_endpoints.noted VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
      CREATE TRIGGER note AFTER UPDATE ON async_endpoints.job EXECUTE FUNCTION async_endpoints.note()`);
    const store = nest.get(JobStore);
    await store.submit([aJob({ name: 'Work' })], { queueLimit: 10 });
    await store.claim({ worker: 'w', leaseMs: 1_000, limit: 1, slots: new Map([['Work', 1]]) });
    return (await this.admin.query<{ value: string }>('SELECT value FROM async_endpoints.noted')).rows[0]?.value;
  }

  listens(name: string, ms: number): Promise<boolean> {
    return eventually(() => this.#isListening(name), ms).catch(() => false);
  }
}
