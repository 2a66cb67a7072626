import { decodeText } from '../sql/text.js';
import { type Database, openDatabase, translated } from './driver.js';
import type { readOptions } from './options.js';
import { statusOf } from './rows.js';
import { whenFree } from './transactions.js';

/** The most jobs that an audit names. */
const MOST = 10_000;

/** The bytes of a waiting job, as `JobTable` counts them. */
const BYTES = `CASE WHEN status > 1 THEN 0 WHEN error IS NULL AND attempts IS NULL THEN bytes
  ELSE bytes + 3 + length(CAST(coalesce(error, 'null') AS BLOB)) + length(CAST(coalesce(attempts, '[]') AS BLOB)) END`;
const COUNTED = `SELECT name, status, count(*) AS count, sum(${BYTES}) AS bytes FROM job GROUP BY name, status`;
const WRONG_TALLIES = `
  SELECT name, status, sum(count) AS count, sum(bytes) AS bytes, sum(stored) AS stored, sum(stored_bytes) AS stored_bytes FROM (
    SELECT name, status, count, bytes, 0 AS stored, 0 AS stored_bytes FROM (${COUNTED})
    UNION ALL SELECT name, status, 0, 0, count, bytes FROM tally)
  GROUP BY name, status HAVING sum(count) <> sum(stored) OR sum(bytes) <> sum(stored_bytes)`;

const isJson = (column: string) => `json_valid(coalesce(${column}, 'null'))`;
const IS_READABLE = `status BETWEEN 0 AND 5 AND ${['progress', 'error', 'attempts', 'retention'].map(isJson).join(' AND ')}`;
const IS_IN_LINE = 'CASE status WHEN 0 THEN line = 1 WHEN 1 THEN line IN (1, 2) ELSE line = 0 END';
const IS_CLAIMED = 'worker IS NOT NULL AND lease_until IS NOT NULL AND started_at IS NOT NULL';
const IS_FREE = 'worker IS NULL AND lease_until IS NULL';
const IS_FINISHED = 'completed_at IS NOT NULL AND expires_at IS NOT NULL';

/** The conditions of every job, each with the description of a deviation and its repair. */
const RULES = [
  { holds: IS_READABLE, deviation: 'cannot be read', repair: 'DELETE FROM job' },
  {
    holds: IS_IN_LINE,
    deviation: 'is not in the line of its status',
    repair: 'UPDATE job SET line = CASE status WHEN 0 THEN 1 WHEN 1 THEN 2 ELSE 0 END',
  },
  {
    holds: `CASE status WHEN 2 THEN ${IS_CLAIMED} ELSE ${IS_FREE} END`,
    deviation: 'has a claim although it is not in progress, or none although it is',
    // A claim without an end ends now: the next sweep recovers the job.
    repair: `UPDATE job SET worker = CASE status WHEN 2 THEN coalesce(worker, 'unknown') END,
      lease_until = CASE status WHEN 2 THEN coalesce(lease_until, 0) END, started_at = coalesce(started_at, updated_at)`,
  },
  {
    holds: `CASE WHEN status > 2 THEN ${IS_FINISHED} ELSE expires_at IS NULL END`,
    deviation: 'expires although it is not finished, or does not although it is',
    repair: `UPDATE job SET completed_at = CASE WHEN status > 2 THEN coalesce(completed_at, updated_at) END,
      expires_at = CASE WHEN status > 2 THEN coalesce(expires_at, updated_at) END`,
  },
];

interface WrongTally {
  readonly name: string;
  readonly status: number;
  readonly count: number;
  readonly bytes: number;
  readonly stored: number;
  readonly stored_bytes: number;
}

/**
 * What does not agree with the jobs, in words, as of one moment: the tally, the lines, claims and expiry, and what SQLite itself
 * finds in the file. On a connection of its own, which bars no writer unless it repairs.
 *
 * @throws AsyncEndpointsError as {@link translated}
 */
export async function auditDatabase(options: ReturnType<typeof readOptions>, repair: boolean): Promise<string[]> {
  const database = await openDatabase(options.path, options.driver);
  try {
    await whenFree(options.busyTimeoutMs, () => database.exec(repair ? 'BEGIN IMMEDIATE' : 'BEGIN'));
    const deviations = deviationsOf(database);
    if (repair && deviations.length > 0) mend(database);
    database.exec('COMMIT');
    return deviations;
  } catch (error) {
    throw translated(error, options.path);
  } finally {
    database.close();
  }
}

function deviationsOf(database: Database): string[] {
  const checked = database.prepare('PRAGMA integrity_check').all() as { integrity_check: string }[];
  const ofFile = checked.map((row) => row.integrity_check).filter((finding) => finding !== 'ok');
  const ofJobs = RULES.flatMap(({ holds, deviation }) => {
    const rows = database.prepare(`SELECT id FROM job WHERE NOT (${holds}) LIMIT ${MOST}`).all() as { id: string }[];
    return rows.map(({ id }) => `Job ${id} ${deviation}`);
  });
  const tallies = database.prepare(WRONG_TALLIES).all() as WrongTally[];
  return [...ofFile, ...ofJobs, ...tallies.map(inWords)];
}

function inWords({ name, status, count, bytes, stored, stored_bytes: storedBytes }: WrongTally): string {
  const tally = `The tally of ${decodeText(name)}, ${statusOf(status) ?? status}`;
  return `${tally}, is ${stored} jobs with ${storedBytes} bytes; there are ${count} with ${bytes}`;
}

function mend(database: Database): void {
  database.exec('REINDEX');
  for (const { holds, repair } of RULES) database.exec(`${repair} WHERE NOT (${holds})`);
  database.exec(`DELETE FROM tally; INSERT INTO tally ${COUNTED}`);
}
