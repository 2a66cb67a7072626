import { verb } from './define-function.js';

/** The columns that `done` and `job` share. */
const KEPT = `id, seq, name, owner, priority, retry_count, max_retries, created_at, scheduled_at, started_at, progress, retention,
      fingerprint, bytes, payload`;

/** Changes by operators and clients, which need no fence. */
export const REVOKE = [
  /** Cancels jobs that are not terminal. Returns the jobs, in JSON. */
  verb`
cancel(p_ids uuid[], p_now bigint) RETURNS text
DECLARE
  v_time bigint := now_ms(p_now);
  v_job job;
BEGIN
  FOR v_job IN SELECT * FROM job WHERE id = ANY(p_ids) ORDER BY id FOR UPDATE LOOP
    DELETE FROM job WHERE id = v_job.id;
    INSERT INTO done (${KEPT}, status, crashes, completed_at, expires_at, error_code, error, attempts, fence, version)
    SELECT ${KEPT}, 'Canceled', crashes, v_time, expires_at(retention, 'Canceled', v_time), error_code, error, attempts, fence + 1, version + 1
    FROM (SELECT v_job.*) AS job;
    PERFORM count_jobs(v_job.name, -(v_job.status = 'Queued')::integer, -(v_job.status = 'Scheduled')::integer,
      -(v_job.status = 'InProgress')::integer, 0, 0, 1,
      CASE v_job.status WHEN 'Queued' THEN -waiting_bytes(v_job) ELSE 0 END,
      CASE v_job.status WHEN 'Scheduled' THEN -waiting_bytes(v_job) ELSE 0 END);
    IF v_job.status = 'InProgress' THEN
      PERFORM end_leases(ARRAY[v_job.lease]);
      PERFORM tell_revoked(v_job.worker, v_job.id, 'Canceled', v_job.version + 1);
    END IF;
  END LOOP;
  PERFORM tell(p_ids);
  RETURN records(p_ids);
END`,
  /**
   * Queues failed and canceled jobs again; with p_running_ms, jobs that have been in progress for at least so long. Returns the
   * jobs, in JSON.
   */
  verb`
rerun(p_ids uuid[], p_running_ms bigint, p_now bigint) RETURNS text
DECLARE
  v_time bigint := now_ms(p_now);
  v_job job;
  v_done done;
BEGIN
  IF p_running_ms IS NOT NULL THEN
    FOR v_job IN SELECT * FROM job WHERE id = ANY(p_ids) AND status = 'InProgress' AND v_time - started_at >= p_running_ms
      ORDER BY id FOR UPDATE
    LOOP
      UPDATE job SET status = 'Queued', waits_as = 'Queued', waits_since = v_time, retry_count = 0, crashes = 0, scheduled_at = v_time,
        started_at = NULL, reported_at = NULL, progress = NULL, error_code = NULL, error = NULL, fence = fence + 1,
        worker = NULL, lease_until = NULL, version = version + 1
      WHERE id = v_job.id;
      PERFORM end_leases(ARRAY[v_job.lease]);
      PERFORM count_jobs(name, 1, 0, -1, 0, 0, 0, waiting_bytes(job), 0) FROM job WHERE id = v_job.id;
      PERFORM tell_revoked(v_job.worker, v_job.id, 'Queued', v_job.version + 1);
      PERFORM wake(v_job.name, 1);
    END LOOP;
  ELSE
    FOR v_done IN SELECT * FROM done WHERE id = ANY(p_ids) AND status IN ('Failed', 'Canceled') ORDER BY id FOR UPDATE LOOP
      DELETE FROM done WHERE id = v_done.id;
      INSERT INTO job (id, seq, name, status, waits_as, owner, priority, max_retries, created_at, scheduled_at, waits_since, attempts,
        fence, retention, fingerprint, version, bytes, payload)
      VALUES (v_done.id, v_done.seq, v_done.name, 'Queued', 'Queued', v_done.owner, v_done.priority, v_done.max_retries,
        v_done.created_at, v_time, v_time, v_done.attempts, v_done.fence, v_done.retention, v_done.fingerprint, v_done.version + 1, v_done.bytes,
        v_done.payload);
      PERFORM count_jobs(name, 1, 0, 0, 0, -(v_done.status = 'Failed')::integer, -(v_done.status = 'Canceled')::integer,
        waiting_bytes(job), 0) FROM job WHERE id = v_done.id;
      PERFORM wake(v_done.name, 1);
    END LOOP;
  END IF;
  PERFORM tell(p_ids);
  RETURN records(p_ids);
END`,
];
