import type { ClientBase } from 'pg';
import { decodeText } from '../sql/text.js';
import type { PostgresConnections } from './connections.js';

/** Audits read every job. */
const AUDIT_MS = 3_600_000;
/** The most jobs that an audit names. */
const MOST = 10_000;

const COUNTS = {
  queued: "status = 'Queued'",
  scheduled: "status = 'Scheduled'",
  running: "status = 'InProgress'",
  completed: "status = 'Completed'",
  failed: "status = 'Failed'",
  canceled: "status = 'Canceled'",
} as const;
const COLUMNS = [...Object.keys(COUNTS), 'queued_bytes', 'scheduled_bytes'];

/** The difference of the tally to the jobs, for each name with a wrong tally. */
const WRONG_TALLIES = `
  SELECT name, ${COLUMNS.map((column) => `sum(${column}) AS ${column}`).join(', ')} FROM (
    SELECT name, ${Object.entries(COUNTS)
      .map(([column, isCounted]) => `count(*) FILTER (WHERE ${isCounted}) AS ${column}`)
      .join(', ')},
      coalesce(sum(bytes) FILTER (WHERE status = 'Queued'), 0) AS queued_bytes,
      coalesce(sum(bytes) FILTER (WHERE status = 'Scheduled'), 0) AS scheduled_bytes
    FROM (SELECT name, status, waiting_bytes(job) AS bytes FROM job UNION ALL SELECT name, status, 0 FROM done) AS one GROUP BY name
    UNION ALL SELECT name, ${COLUMNS.map((column) => `-${column}`).join(', ')} FROM tally) AS both_sides
  GROUP BY name HAVING ${COLUMNS.map((column) => `sum(${column}) <> 0`).join(' OR ')} ORDER BY name`;

const HAS_LEASE = `EXISTS (SELECT FROM lease WHERE lease.id = job.lease AND lease.name = job.name
  AND job.id = ANY(lease.ids) AND lease.lease_until <= job.lease_until)`;
const WRONG_LEASES = `
  SELECT lease.id, lease.live, coalesce(held.count, 0) AS held FROM lease
  LEFT JOIN (SELECT lease AS id, count(*) AS count FROM job WHERE status = 'InProgress' GROUP BY lease) AS held USING (id)
  WHERE lease.live <> coalesce(held.count, 0)`;

/** The conditions of every job, each with the description of a deviation. */
const RULES: readonly [table: string, holds: string, deviation: string][] = [
  ['job', "status <= 'InProgress'", 'is finished, but among the jobs that wait or run'],
  ['done', "status > 'InProgress'", 'is not finished, but among the jobs that are'],
  ['job', 'NOT EXISTS (SELECT FROM done WHERE done.id = job.id)', 'is there twice'],
  [
    'job',
    "CASE status WHEN 'InProgress' THEN worker IS NOT NULL AND lease_until IS NOT NULL ELSE worker IS NULL AND lease_until IS NULL END",
    'has a claim although it is not in progress, or none although it is',
  ],
  ['job', `status <> 'InProgress' OR ${HAS_LEASE}`, 'is in progress, but no lease names it at the end of its claim'],
];

/** The repairs. Each changes only wrong rows. */
const REPAIRS = [
  `UPDATE job SET worker = coalesce(worker, 'unknown'), lease_until = coalesce(lease_until, 0),
    started_at = coalesce(started_at, created_at)
  WHERE status = 'InProgress' AND (worker IS NULL OR lease_until IS NULL OR started_at IS NULL)`,
  "UPDATE job SET worker = NULL, lease_until = NULL WHERE status < 'InProgress' AND (worker IS NOT NULL OR lease_until IS NOT NULL)",
  `WITH lost AS (
    INSERT INTO lease (name, started_at, lease_until, live, ids)
    SELECT name, min(started_at), min(lease_until), count(*), array_agg(id) FROM job
    WHERE status = 'InProgress' AND NOT ${HAS_LEASE} GROUP BY name RETURNING id, ids
  ) UPDATE job SET lease = lost.id FROM lost WHERE job.id = ANY(lost.ids)`,
  `UPDATE lease SET live = wrong.held FROM (${WRONG_LEASES}) AS wrong WHERE lease.id = wrong.id`,
  'DELETE FROM lease WHERE live <= 0',
  `INSERT INTO tally (name, shard, ${COLUMNS.join(', ')})
    SELECT name, floor(random() * 1000000000)::integer, ${COLUMNS.join(', ')} FROM (${WRONG_TALLIES}) AS short`,
];

/**
 * What does not agree with the jobs, in words, as of one moment. A repair runs beside the application: it adds to counts what they
 * are short of, and gives up in favor of others that change the same job.
 */
export async function auditSchema(
  connections: PostgresConnections,
  schema: string,
  repair: boolean,
): Promise<string[]> {
  return connections.with(async (client) => {
    await client.query(`BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL statement_timeout = 0;
      SET LOCAL search_path TO "${schema}", pg_temp`);
    try {
      const deviations = await deviationsOf(client);
      if (repair && deviations.length > 0) for (const statement of REPAIRS) await client.query(statement);
      await client.query('COMMIT');
      return deviations;
    } catch (error) {
      await client.query('ROLLBACK').catch(() => {});
      throw error;
    }
  }, AUDIT_MS);
}

async function deviationsOf(client: ClientBase): Promise<string[]> {
  const deviations: string[] = [];
  for (const [table, holds, deviation] of RULES) {
    const { rows } = await client.query<{ id: string }>(`SELECT id FROM ${table} WHERE NOT (${holds}) LIMIT ${MOST}`);
    deviations.push(...rows.map(({ id }) => `Job ${id} ${deviation}`));
  }
  const leases = await client.query<{ id: string; live: number; held: string }>(`${WRONG_LEASES} LIMIT ${MOST}`);
  for (const { id, live, held } of leases.rows)
    deviations.push(`Lease ${id} has ${live} live claims; there are ${held}`);
  const tallies = await client.query<Record<string, string>>(`${WRONG_TALLIES} LIMIT ${MOST}`);
  return [...deviations, ...tallies.rows.map(inWords)];
}

function inWords({ name = '', ...columns }: Record<string, string>): string {
  const wrong = Object.entries(columns).filter(([, by]) => Number(by) !== 0);
  return `The tally of ${decodeText(name)} is short of ${wrong.map(([column, by]) => `${by} ${column}`).join(', ')}`;
}
