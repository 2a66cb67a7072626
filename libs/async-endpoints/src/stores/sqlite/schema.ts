import { AsyncEndpointsError } from '../../job/errors.js';
import type { Database } from './driver.js';

/**
 * `job.status` is the index of the status in `JOB_STATUSES`. `job.line` is 1 for claimable jobs, 2 for jobs that wait for their
 * `scheduledAt`, and 0 for all others. Times are in ms since the epoch; payload, result, error, progress and attempts are JSON.
 */
const TABLES = `
CREATE TABLE job (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  status INTEGER NOT NULL,
  line INTEGER NOT NULL,
  owner TEXT,
  priority INTEGER NOT NULL,
  retry_count INTEGER NOT NULL,
  max_retries INTEGER NOT NULL,
  crashes INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  scheduled_at INTEGER NOT NULL,
  started_at INTEGER,
  completed_at INTEGER,
  updated_at INTEGER NOT NULL,
  expires_at INTEGER,
  progress TEXT,
  result TEXT,
  error TEXT,
  attempts TEXT,
  fence INTEGER NOT NULL,
  worker TEXT,
  lease_until INTEGER,
  retention TEXT,
  fingerprint TEXT,
  version INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  payload TEXT
) STRICT;
CREATE UNIQUE INDEX job_id ON job (id);
CREATE INDEX job_ready ON job (name, priority DESC, scheduled_at, seq) WHERE line = 1;
CREATE INDEX job_scheduled ON job (name, scheduled_at) WHERE line = 2;
CREATE INDEX job_lease ON job (lease_until) WHERE status = 2;
CREATE INDEX job_expiry ON job (expires_at) WHERE expires_at IS NOT NULL;

-- The job of each idempotency key.
CREATE TABLE idempotency (scope TEXT PRIMARY KEY, id TEXT NOT NULL, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_expiry ON idempotency (expires_at);

-- The number of jobs by name and status, and the bytes of the waiting ones.
CREATE TABLE tally (
  name TEXT NOT NULL, status INTEGER NOT NULL, count INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (name, status)
) STRICT, WITHOUT ROWID;

CREATE TABLE paused (name TEXT PRIMARY KEY, paused_at INTEGER NOT NULL, paused_by TEXT) STRICT, WITHOUT ROWID;

CREATE TABLE worker (
  id TEXT PRIMARY KEY, entry TEXT NOT NULL, heartbeat_at INTEGER NOT NULL, alive_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Revoked claims. Other processes read the new rows.
CREATE TABLE revocation (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, worker TEXT NOT NULL, id TEXT NOT NULL, status INTEGER NOT NULL,
  version INTEGER NOT NULL, revoked_at INTEGER NOT NULL
) STRICT;

-- The last sweep and the last silence, as JSON, in one row.
CREATE TABLE silence (only INTEGER PRIMARY KEY CHECK (only = 1), entry TEXT NOT NULL) STRICT;

-- For people: the jobs with the names of their statuses.
CREATE VIEW jobs AS
SELECT id, name,
  CASE status WHEN 0 THEN 'Queued' WHEN 1 THEN 'Scheduled' WHEN 2 THEN 'InProgress' WHEN 3 THEN 'Completed'
    WHEN 4 THEN 'Failed' ELSE 'Canceled' END AS status,
  owner, priority, retry_count, crashes, datetime(created_at / 1000, 'unixepoch') AS created,
  datetime(scheduled_at / 1000, 'unixepoch') AS scheduled, datetime(completed_at / 1000, 'unixepoch') AS completed,
  worker, error, result
FROM job;
`;

/** `entered_at` is the time when the job came into its status. `error_code` is the code of its error, as JSON. */
const LISTING = `
ALTER TABLE job ADD COLUMN entered_at INTEGER AS (CASE status WHEN 2 THEN started_at ELSE updated_at END) VIRTUAL;
ALTER TABLE job ADD COLUMN error_code TEXT AS (error -> '$.code') VIRTUAL;
CREATE INDEX job_listed ON job (name, status, entered_at);
CREATE INDEX job_owner ON job (owner, name, status, entered_at) WHERE owner IS NOT NULL;
CREATE INDEX job_error ON job (error_code, name, status, entered_at) WHERE error IS NOT NULL;
`;

/** The schedules of recurring jobs. An entry is a `ScheduleRecord` as JSON. */
const SCHEDULES = `
CREATE TABLE schedule (
  name TEXT PRIMARY KEY, job TEXT NOT NULL, next_at INTEGER, is_paused INTEGER NOT NULL, entry TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX schedule_next ON schedule (job, next_at) WHERE is_paused = 0 AND next_at IS NOT NULL;
`;

/** What operators did by tools, as JSON, until a worker writes it into its log. */
const ACTIONS = 'CREATE TABLE action (seq INTEGER PRIMARY KEY AUTOINCREMENT, entry TEXT NOT NULL) STRICT;';

/** Both filters in one index: the jobs of an owner may be many, and those of them with an error few. */
const OWNED_FAILURES = `CREATE INDEX job_owner_error ON job (owner, error_code, name, status, entered_at)
  WHERE owner IS NOT NULL AND error IS NOT NULL;`;

/** The migrations from each version of the schema to the next. `PRAGMA user_version` holds the version. */
export const MIGRATIONS: readonly string[] = [TABLES, LISTING, SCHEDULES, ACTIONS, OWNED_FAILURES];

/** Within a transaction. @throws AsyncEndpointsError `STORE_UNAVAILABLE` when a newer release wrote the file */
export function migrate(database: Database): void {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version > MIGRATIONS.length) {
    const reason = `The database has version ${version} of the schema; this release knows ${MIGRATIONS.length}`;
    throw new AsyncEndpointsError('STORE_UNAVAILABLE', `${reason}: use the release that wrote it, or a newer one.`);
  }
  if (version === MIGRATIONS.length) return;
  for (const migration of MIGRATIONS.slice(version)) database.exec(migration);
  database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
}
