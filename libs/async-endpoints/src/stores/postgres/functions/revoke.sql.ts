import { part, verb } from './define-function.js';

/** Changes by operators and clients, which need no fence. */
export const REVOKE = [
  /** Ends a locked job that is not terminal, whoever has claimed it. */
  part`
finish(p_job job, p_status job_status, p_code text, p_error text, p_time bigint) RETURNS void
DELETE FROM job WHERE id = p_job.id;
INSERT INTO done (id, seq, name, status, owner, priority, retry_count, max_retries, crashes, created_at, scheduled_at, started_at,
  completed_at, expires_at, progress, error_code, error, attempts, fence, retention, fingerprint, version, bytes, payload)
VALUES (p_job.id, p_job.seq, p_job.name, p_status, p_job.owner, p_job.priority, p_job.retry_count, p_job.max_retries, p_job.crashes,
  p_job.created_at, p_job.scheduled_at, p_job.started_at, p_time, expires_at(p_job.retention, p_status, p_time), p_job.progress,
  p_code, p_error, p_job.attempts, p_job.fence + 1, p_job.retention, p_job.fingerprint, p_job.version + 1, p_job.bytes, p_job.payload);
PERFORM count_jobs(p_job.name, -(p_job.status = 'Queued')::integer, -(p_job.status = 'Scheduled')::integer,
  -(p_job.status = 'InProgress')::integer, 0, (p_status = 'Failed')::integer, (p_status = 'Canceled')::integer,
  CASE p_job.status WHEN 'Queued' THEN -waiting_bytes(p_job) ELSE 0 END,
  CASE p_job.status WHEN 'Scheduled' THEN -waiting_bytes(p_job) ELSE 0 END);
IF p_job.status = 'InProgress' THEN
  PERFORM end_leases(ARRAY[p_job.lease]);
  PERFORM tell_revoked(p_job.worker, p_job.id, p_status, p_job.version + 1);
END IF;`,
  /** Queues a locked job in progress again, with the retries, crashes, time, error and attempts that p_job has. */
  part`
requeue(p_job job, p_time bigint) RETURNS void
UPDATE job SET status = 'Queued', waits_as = 'Queued', waits_since = p_time, retry_count = p_job.retry_count, crashes = p_job.crashes,
  scheduled_at = p_job.scheduled_at, started_at = NULL, reported_at = NULL, progress = NULL, error_code = p_job.error_code,
  error = p_job.error, attempts = p_job.attempts, fence = fence + 1, worker = NULL, lease_until = NULL, version = version + 1
WHERE id = p_job.id;
PERFORM end_leases(ARRAY[p_job.lease]);
PERFORM count_jobs(p_job.name, 1, 0, -1, 0, 0, 0, waiting_bytes(p_job), 0);
PERFORM tell_revoked(p_job.worker, p_job.id, 'Queued', p_job.version + 1);
PERFORM wake(p_job.name, 1);`,
  /** Cancels jobs that are not terminal. Returns the jobs, in JSON. */
  verb`
cancel(p_ids uuid[], p_now bigint) RETURNS text
DECLARE
  v_time bigint := now_ms(p_now);
  v_job job;
BEGIN
  FOR v_job IN SELECT * FROM job WHERE id = ANY(p_ids) ORDER BY id FOR UPDATE LOOP
    PERFORM finish(v_job, 'Canceled', v_job.error_code, v_job.error, v_time);
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
      v_job.retry_count := 0;
      v_job.crashes := 0;
      v_job.scheduled_at := v_time;
      v_job.error_code := NULL;
      v_job.error := NULL;
      PERFORM requeue(v_job, v_time);
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
