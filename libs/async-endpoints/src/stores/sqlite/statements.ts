import type { Database } from './driver.js';
import { COLUMNS } from './rows.js';

function listing(index: string, condition: string): string {
  return `SELECT seq, entered_at FROM job INDEXED BY ${index}
    WHERE ${condition}name = ? AND status = ? AND (entered_at, seq) < (?, ?) ORDER BY entered_at DESC, seq DESC LIMIT ?`;
}

/** The conditions of the partial indexes are repeated, because SQLite uses such an index only then. */
const OWNED = 'owner = ? AND owner IS NOT NULL AND ';
const FAILING = 'error_code = ? AND error IS NOT NULL AND ';

/** Every statement of the store, by purpose. Each names its index, because the statistics of a queue are always outdated. */
export const SQL = {
  begin: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  dataVersion: 'PRAGMA data_version',
  /** A change that means nothing: it fails where the file cannot be written. The number is "jobs" in ASCII. */
  probe: 'PRAGMA application_id = 0x6a6f6273',
  takeLock: 'DELETE FROM silence WHERE only < 0',

  insert: `INSERT INTO job (id, name, status, line, owner, priority, retry_count, max_retries, crashes, created_at, scheduled_at,
      updated_at, fence, retention, fingerprint, version, bytes, payload)
    VALUES (?, ?, ?, ?, ?, ?, 0, ?, 0, ?, ?, ?, 0, ?, ?, 1, ?, ?)`,
  update: `UPDATE job SET status = ?, line = ?, retry_count = ?, crashes = ?, scheduled_at = ?, started_at = ?,
      completed_at = ?, updated_at = ?, expires_at = ?, progress = ?, result = ?, error = ?, attempts = ?, fence = ?, worker = ?,
      lease_until = ?, version = ?, payload = CASE ? WHEN 1 THEN NULL ELSE payload END
    WHERE seq = ?`,
  /** Without the columns that a claim leaves alone: their indexes stay as they are. */
  claim: `UPDATE job SET status = ?, line = ?, started_at = ?, updated_at = ?, fence = ?, worker = ?, lease_until = ?, version = ?
    WHERE seq = ?`,
  renew: 'UPDATE job SET lease_until = ? WHERE seq = ?',
  find: `SELECT ${COLUMNS} FROM job WHERE id = ?`,
  payload: 'SELECT payload FROM job WHERE id = ?',
  findListed: `SELECT ${COLUMNS} FROM job WHERE seq = ?`,
  list: listing('job_listed', ''),
  listOwned: listing('job_owner', OWNED),
  listFailing: listing('job_error', FAILING),
  listOwnedFailing: listing('job_owner_error', OWNED + FAILING),

  promote: `UPDATE job SET line = 1 WHERE seq IN
    (SELECT seq FROM job INDEXED BY job_scheduled WHERE line = 2 AND name = ? AND scheduled_at <= ? LIMIT 1000)`,
  nextPriority: `SELECT priority, scheduled_at FROM job INDEXED BY job_ready
    WHERE line = 1 AND name = ? AND priority < ? ORDER BY priority DESC, scheduled_at LIMIT 1`,
  ready: `SELECT ${COLUMNS}, payload FROM job INDEXED BY job_ready
    WHERE line = 1 AND name = ? AND priority = ? ORDER BY scheduled_at, seq LIMIT ?`,
  nextScheduled: `SELECT scheduled_at FROM job INDEXED BY job_scheduled
    WHERE line = 2 AND name = ? ORDER BY scheduled_at LIMIT 1`,
  expired: `SELECT ${COLUMNS} FROM job INDEXED BY job_lease
    WHERE status = 2 AND lease_until <= ? ORDER BY lease_until LIMIT ?`,
  earliestStart: `SELECT started_at FROM job INDEXED BY job_listed WHERE name = ? AND status = 2 ORDER BY entered_at LIMIT 1`,
  purgeable: `SELECT seq, id, name, status FROM job INDEXED BY job_expiry
    WHERE expires_at IS NOT NULL AND expires_at <= ? ORDER BY expires_at LIMIT ?`,
  remove: 'DELETE FROM job WHERE seq = ?',

  findKey: 'SELECT id FROM idempotency WHERE scope = ? AND expires_at > ?',
  keepKey: 'INSERT OR REPLACE INTO idempotency VALUES (?, ?, ?)',
  purgeKeys: `DELETE FROM idempotency WHERE scope IN
    (SELECT scope FROM idempotency INDEXED BY idempotency_expiry WHERE expires_at <= ? LIMIT ?)`,

  count: `INSERT INTO tally VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET count = count + excluded.count, bytes = bytes + excluded.bytes`,
  tally: 'SELECT name, status, count, bytes FROM tally WHERE count > 0',
  waiting: 'SELECT coalesce(sum(count), 0) AS count, coalesce(sum(bytes), 0) AS bytes FROM tally WHERE status < 2',
  waitingOf: `SELECT coalesce(sum(count), 0) AS count, coalesce(sum(bytes), 0) AS bytes FROM tally WHERE name = ? AND status < 2`,

  pause: 'INSERT INTO paused VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  resume: 'DELETE FROM paused WHERE name = ?',
  isPaused: 'SELECT 1 AS is_paused FROM paused WHERE name = ?',
  paused: 'SELECT name, paused_at AS pausedAt, paused_by AS pausedBy FROM paused ORDER BY name',

  register: 'INSERT OR REPLACE INTO worker VALUES (?, ?, ?, ?)',
  unregister: 'DELETE FROM worker WHERE id = ?',
  forgetWorkers: 'DELETE FROM worker WHERE alive_until <= ?',
  workers: 'SELECT entry, heartbeat_at FROM worker WHERE alive_until > ? ORDER BY id',

  revoke: 'INSERT INTO revocation (worker, id, status, version, revoked_at) VALUES (?, ?, ?, ?, ?)',
  revocations: 'SELECT seq, worker, id, status, version FROM revocation WHERE seq > ? ORDER BY seq LIMIT 1000',
  lastRevocation: 'SELECT coalesce(max(seq), 0) AS seq FROM revocation',
  forgetRevocations: 'DELETE FROM revocation WHERE revoked_at <= ?',

  reportAction: 'INSERT INTO action (entry) VALUES (?)',
  forgetActions: 'DELETE FROM action WHERE seq <= (SELECT max(seq) FROM action) - ?',
  actions: 'SELECT seq, entry FROM action ORDER BY seq LIMIT 100',
  takeAction: 'DELETE FROM action WHERE seq = ?',

  findSchedule: 'SELECT entry FROM schedule WHERE name = ?',
  keepSchedule: 'INSERT OR REPLACE INTO schedule VALUES (?, ?, ?, ?, ?)',
  removeSchedule: 'DELETE FROM schedule WHERE name = ?',
  listSchedules: 'SELECT entry FROM schedule WHERE name > ? ORDER BY name LIMIT ?',
  nextSchedules: `SELECT entry FROM schedule INDEXED BY schedule_next
    WHERE job = ? AND is_paused = 0 AND next_at IS NOT NULL ORDER BY next_at LIMIT ?`,

  silence: 'SELECT entry FROM silence WHERE only = 1',
  keepSilence: 'INSERT OR REPLACE INTO silence VALUES (1, ?)',
} as const;

export type Statements = ReturnType<typeof prepareStatements>;

export function prepareStatements(database: Database) {
  const prepared = Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)] as const);
  return Object.fromEntries(prepared) as Record<keyof typeof SQL, ReturnType<Database['prepare']>>;
}
