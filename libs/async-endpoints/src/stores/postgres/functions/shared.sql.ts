import { expression, part } from './define-function.js';

/** The parts that several verbs share. */
export const SHARED = [
  /** The store's clock, in ms since the epoch. It does not go back when the clock of the server does: see `sweep.sql.ts`. */
  part`
now_ms(p_now bigint) RETURNS bigint
RETURN coalesce(p_now, (SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint + offset_ms FROM sweep));`,
  /** Takes the advisory lock of this name until the end of the transaction: shared, or exclusive. */
  part`
hold(p_name text, p_exclusive boolean) RETURNS void
DECLARE
  v_key bigint := hashtextextended(current_schema() || '.' || p_name, 0);
BEGIN
  IF p_exclusive THEN PERFORM pg_advisory_xact_lock(v_key); ELSE PERFORM pg_advisory_xact_lock_shared(v_key); END IF;
END`,
  /** The bytes of a waiting job: those of the submission, and those of its error and failed attempts. */
  expression`
waiting_bytes(p_job job) RETURNS bigint
p_job.bytes + coalesce(octet_length(p_job.error), 0)::bigint + coalesce(octet_length(p_job.attempts::text), 0)`,
  /**
   * Adds to the tally of a name. It takes a row that no other transaction has locked, or a new row, so that writers never wait.
   */
  part`
count_jobs(p_name text, p_queued bigint, p_scheduled bigint, p_running bigint, p_completed bigint, p_failed bigint, p_canceled bigint, p_queued_bytes numeric, p_scheduled_bytes numeric) RETURNS void
DECLARE
  v_shard integer;
BEGIN
  -- A transaction with a fixed snapshot cannot lock a row that has changed since.
  IF current_setting('transaction_isolation') = 'read committed' THEN
    SELECT shard INTO v_shard FROM tally WHERE name = p_name ORDER BY shard LIMIT 1 FOR UPDATE SKIP LOCKED;
  END IF;
  IF v_shard IS NOT NULL THEN
    UPDATE tally SET queued = queued + p_queued, scheduled = scheduled + p_scheduled, running = running + p_running,
      completed = completed + p_completed, failed = failed + p_failed, canceled = canceled + p_canceled,
      queued_bytes = queued_bytes + p_queued_bytes, scheduled_bytes = scheduled_bytes + p_scheduled_bytes
    WHERE name = p_name AND shard = v_shard;
    RETURN;
  END IF;
  LOOP
    INSERT INTO tally VALUES (p_name, floor(random() * 1000000000)::integer, p_queued, p_scheduled, p_running, p_completed,
      p_failed, p_canceled, p_queued_bytes, p_scheduled_bytes) ON CONFLICT DO NOTHING;
    EXIT WHEN FOUND;
  END LOOP;
END`,
  /** Counts down the leases of jobs that are no longer in progress. */
  part`
end_leases(p_leases bigint[]) RETURNS void
DECLARE
  v_locked bigint[];
BEGIN
  v_locked := ARRAY(SELECT id FROM lease WHERE id = ANY(p_leases) ORDER BY id FOR UPDATE);
  UPDATE lease SET live = live - ended.count
  FROM (SELECT id, count(*) AS count FROM unnest(p_leases) AS of_job(id) GROUP BY id) AS ended WHERE lease.id = ended.id;
  DELETE FROM lease WHERE id = ANY(v_locked) AND live <= 0;
END`,
  /** The value of `waits_as` of a new job. */
  expression`
status_of(p_delay bigint) RETURNS job_status
(CASE WHEN p_delay > 0 THEN 'Scheduled' ELSE 'Queued' END)::job_status`,
  /** The attempts of a job, including the current one, which has just ended. */
  part`
attempts_after(p_job job, p_outcome text, p_error text, p_time bigint) RETURNS text[]
DECLARE
  v_all text[];
BEGIN
  v_all := coalesce(p_job.attempts, '{}') || ('{"number":' || p_job.retry_count + p_job.crashes + 1 || ',"worker":' ||
    to_json(p_job.worker) || ',"startedAt":' || p_job.started_at || ',"endedAt":' || p_time || ',"outcome":"' || p_outcome ||
    '","error":' || p_error || '}');
  RETURN v_all[greatest(1, cardinality(v_all) - 9):];
END`,
  /** When a job that ends now may be purged. */
  expression`
expires_at(p_retention text, p_status job_status, p_time bigint) RETURNS bigint
p_time + CASE p_status
      WHEN 'Completed' THEN coalesce((p_retention::json ->> 'completedMs')::bigint, 86400000)
      WHEN 'Failed' THEN coalesce((p_retention::json ->> 'failedMs')::bigint, 604800000)
      ELSE coalesce((p_retention::json ->> 'canceledMs')::bigint, 86400000) END`,
  /** The earliest `scheduled_at` of the waiting jobs of the name. */
  part`
earliest_due(p_name text) RETURNS bigint
DECLARE
  v_priority smallint := 32767;
  v_due bigint;
  v_earliest bigint;
BEGIN
  LOOP
    SELECT priority, scheduled_at INTO v_priority, v_due FROM job
    WHERE name = p_name AND priority < v_priority AND status < 'InProgress' ORDER BY priority DESC, scheduled_at LIMIT 1;
    EXIT WHEN NOT FOUND;
    v_earliest := least(v_earliest, v_due);
  END LOOP;
  RETURN v_earliest;
END`,
  /** Jobs as the application reads them, in JSON. */
  part`
records(p_ids uuid[]) RETURNS text
RETURN (SELECT json_agg(row_to_json(record)) FROM record WHERE id = ANY(p_ids));`,
];
