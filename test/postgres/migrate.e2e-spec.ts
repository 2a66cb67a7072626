import { type PostgresServer, startPostgresServer } from '@app/postgres-server';
import { PostgresJobStore } from 'nestjs-async-endpoints/postgres';
import { Client } from 'pg';
import { toolWith } from '../cli/tool.js';

describe('npx async-endpoints migrate', () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await startPostgresServer();
  });

  afterAll(() => server.stop());

  /** Whether an application that may not migrate boots. */
  async function boots(schema: string): Promise<boolean> {
    const store = new PostgresJobStore({ url: server.url, schema, migrate: false });
    const isOpen = await store.open().then(
      () => true,
      () => false,
    );
    await store.close();
    return isOpen;
  }

  it('creates the schema, also when it exists, and with any value of the option migrate', async () => {
    const tool = toolWith({ POSTGRES_URL: server.url, ASYNC_POSTGRES_MIGRATE: 'false' });
    expect(await boots('async_endpoints')).toBe(false);
    for (let time = 1; time <= 2; time++)
      expect(await tool('migrate')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^The schema async_endpoints has version \d+ or a later one\.\n$/) as string,
      });
    expect(await boots('async_endpoints')).toBe(true);
  });

  it('prints the SQL of a schema without a database, which creates the schema', async () => {
    const { code, stdout } = await toolWith({ ASYNC_POSTGRES_SCHEMA: 'printed' })('migrate', '--print');
    expect(code).toBe(0);
    const admin = new Client(server.url);
    await admin.connect();
    await admin.query(stdout);
    await admin.end();
    expect(await boots('printed')).toBe(true);
  });

  it('names a missing setting', async () => {
    expect(await toolWith({})('migrate')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('POSTGRES_URL (postgres.url) is missing') as string,
    });
  });
});
