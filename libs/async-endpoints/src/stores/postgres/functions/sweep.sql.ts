import { part, verb } from './define-function.js';

/** The periodic sweep of workers. `store/sweeps.ts` explains silences. */
export const SWEEP = [
  /**
   * Records a sweep, and the silence before it if there was one. When the clock of the server was set back, the store's clock
   * continues from its last time. It then runs a tenth slower until both clocks agree again.
   *
   * p_swept_at  the time of the previous sweep of the process; NULL for its first sweep
   */
  part`
note_sweep(p_silence_ms bigint, p_lease_ms bigint, p_swept_at bigint, p_now bigint) RETURNS sweep
DECLARE
  v_sweep sweep;
  v_time bigint;
  v_goes_on boolean;
BEGIN
  SELECT * INTO v_sweep FROM sweep FOR UPDATE;
  v_time := now_ms(p_now);
  IF p_now IS NULL THEN
    v_sweep.offset_ms := CASE WHEN v_time < v_sweep.swept_at THEN v_sweep.offset_ms + v_sweep.swept_at - v_time
      ELSE greatest(0, v_sweep.offset_ms - (v_time - v_sweep.swept_at) / 10) END;
    v_time := greatest(v_time, v_sweep.swept_at);
  END IF;
  IF v_sweep.swept_at > 0 AND v_time - v_sweep.swept_at > p_silence_ms THEN
    v_goes_on := v_sweep.is_witnessed AND v_sweep.swept_at < v_sweep.grace_until;
    v_sweep.is_witnessed := p_swept_at IS NOT NULL OR v_goes_on;
    v_sweep.silent_from := CASE WHEN v_goes_on THEN v_sweep.silent_from ELSE v_sweep.swept_at END;
    v_sweep.silent_until := v_time;
    v_sweep.grace_until := v_time + CASE WHEN v_sweep.is_witnessed THEN p_lease_ms ELSE p_lease_ms / 3 END;
  ELSIF p_swept_at <= v_sweep.silent_from AND NOT v_sweep.is_witnessed AND v_sweep.silent_until > 0 THEN
    v_sweep.grace_until := v_sweep.silent_until + p_lease_ms;
    v_sweep.is_witnessed := true;
  END IF;
  v_sweep.swept_at := v_time;
  UPDATE sweep SET offset_ms = v_sweep.offset_ms, swept_at = v_sweep.swept_at, silent_from = v_sweep.silent_from,
    silent_until = v_sweep.silent_until, grace_until = v_sweep.grace_until, is_witnessed = v_sweep.is_witnessed;
  RETURN v_sweep;
END`,
  /** Recovers one job, which the caller has locked. */
  part`
recover_one(p_job job, p_max_crashes integer, p_is_crash boolean, p_time bigint) RETURNS void
IF p_is_crash THEN
  p_job.attempts := attempts_after(p_job, 'crash', '{"code":"WORKER_CRASHED","message":"The worker died."}', p_time);
  p_job.crashes := p_job.crashes + 1;
END IF;
IF p_is_crash AND p_job.crashes >= p_max_crashes THEN
  PERFORM finish(p_job, 'Failed', 'WORKER_CRASHED', '{"code":"WORKER_CRASHED","message":"The workers of this job died too often."}', p_time);
ELSE
  PERFORM requeue(p_job, p_time);
END IF;`,
  /**
   * Recovers up to p_limit jobs whose lease has ended.
   *
   * p_silence_ms  NULL for a call that is not a periodic sweep; with p_lease_ms and p_swept_at as in `note_sweep`
   * returns       JSON: the time, and the jobs, each with the worker that had claimed it and the end of its lease
   */
  verb`
recover(p_limit integer, p_max_crashes integer, p_silence_ms bigint, p_lease_ms bigint, p_swept_at bigint, p_now bigint) RETURNS text
DECLARE
  v_sweep sweep;
  v_time bigint;
  v_lease lease;
  v_job job;
  v_in_silence boolean;
  v_was json[] := '{}';
  v_ids uuid[] := '{}';
BEGIN
  IF p_silence_ms IS NULL THEN SELECT * INTO v_sweep FROM sweep;
  ELSE v_sweep := note_sweep(p_silence_ms, p_lease_ms, p_swept_at, p_now); END IF;
  v_time := now_ms(p_now);
  IF v_time >= v_sweep.grace_until THEN
    FOR v_lease IN SELECT * FROM lease WHERE lease_until <= v_time ORDER BY lease_until, id FOR UPDATE SKIP LOCKED LOOP
      FOR v_job IN
        SELECT * FROM job WHERE id = ANY(v_lease.ids) AND lease = v_lease.id AND status = 'InProgress' AND lease_until <= v_time
        ORDER BY lease_until, seq LIMIT p_limit - cardinality(v_ids) FOR UPDATE SKIP LOCKED
      LOOP
        v_in_silence := v_sweep.is_witnessed AND v_job.lease_until > v_sweep.silent_from AND v_job.lease_until <= v_sweep.silent_until;
        CONTINUE WHEN v_in_silence AND v_time - v_sweep.silent_until < v_job.lease_until - v_sweep.silent_from;
        v_was := v_was || json_build_object('id', v_job.id, 'worker', v_job.worker, 'lease_until', v_job.lease_until);
        v_ids := v_ids || v_job.id;
        PERFORM recover_one(v_job, p_max_crashes, NOT v_in_silence, v_time);
      END LOOP;
      -- The next sweep need not check this row before the earliest lease of its jobs ends.
      UPDATE lease SET lease_until = earliest.lease_until
      FROM (SELECT min(lease_until) AS lease_until FROM job WHERE id = ANY(v_lease.ids) AND lease = v_lease.id AND status = 'InProgress') AS earliest
      WHERE lease.id = v_lease.id AND earliest.lease_until IS NOT NULL;
      EXIT WHEN cardinality(v_ids) >= p_limit;
    END LOOP;
    PERFORM tell(v_ids);
  END IF;
  -- A waiter may have died after it was notified.
  PERFORM wake_for_due(NULL, v_time);
  RETURN json_build_object('now', v_time, 'was', v_was, 'jobs', records(v_ids)::json);
END`,
  /** Merges rows of the tally, for a few names and up to 1,000 rows each. */
  part`
fold_tally() RETURNS void
DECLARE
  v_name text;
  v_sum record;
BEGIN
  FOR v_name IN SELECT name FROM tally GROUP BY name HAVING count(*) > 16 ORDER BY name LIMIT 10 LOOP
    WITH gone AS (
      DELETE FROM tally WHERE ctid = ANY(ARRAY(SELECT ctid FROM tally WHERE name = v_name LIMIT 1000 FOR UPDATE SKIP LOCKED)) RETURNING *
    )
    SELECT count(*) AS rows, sum(queued)::bigint AS queued, sum(scheduled)::bigint AS scheduled, sum(running)::bigint AS running,
      sum(completed)::bigint AS completed, sum(failed)::bigint AS failed, sum(canceled)::bigint AS canceled,
      sum(queued_bytes) AS queued_bytes, sum(scheduled_bytes) AS scheduled_bytes INTO v_sum FROM gone;
    CONTINUE WHEN v_sum.rows = 0;
    PERFORM count_jobs(v_name, v_sum.queued, v_sum.scheduled, v_sum.running, v_sum.completed, v_sum.failed, v_sum.canceled,
      v_sum.queued_bytes, v_sum.scheduled_bytes);
  END LOOP;
END`,
  /**
   * Deletes up to p_limit terminal jobs, and keys and other rows, whose retention is over. Returns the ids of the jobs, in
   * JSON.
   */
  verb`
purge(p_limit integer, p_now bigint) RETURNS text
DECLARE
  v_time bigint := now_ms(p_now);
  v_gone record;
  v_count record;
BEGIN
  WITH gone AS (
    DELETE FROM done WHERE id = ANY(ARRAY(SELECT id FROM done WHERE expires_at <= v_time ORDER BY expires_at LIMIT p_limit FOR UPDATE SKIP LOCKED))
    RETURNING id, name, status
  )
  SELECT array_agg(id) AS ids, array_agg(name) AS names, array_agg(status) AS statuses INTO v_gone FROM gone;
  FOR v_count IN
    SELECT name, count(*) FILTER (WHERE status = 'Completed') AS completed, count(*) FILTER (WHERE status = 'Failed') AS failed,
      count(*) FILTER (WHERE status = 'Canceled') AS canceled
    FROM unnest(v_gone.names, v_gone.statuses) AS gone(name, status) GROUP BY name ORDER BY name
  LOOP
    PERFORM count_jobs(v_count.name, 0, 0, 0, -v_count.completed, -v_count.failed, -v_count.canceled, 0, 0);
  END LOOP;
  DELETE FROM idempotency WHERE scope = ANY(ARRAY(
    SELECT scope FROM idempotency WHERE expires_at <= v_time ORDER BY expires_at LIMIT p_limit FOR UPDATE SKIP LOCKED));
  PERFORM fold_tally();
  DELETE FROM worker WHERE alive_until <= v_time;
  DELETE FROM waiter WHERE pid NOT IN (SELECT pid FROM pg_stat_activity WHERE pid IS NOT NULL);
  DELETE FROM watch WHERE pid NOT IN (SELECT pid FROM pg_stat_activity WHERE pid IS NOT NULL);
  RETURN coalesce(array_to_json(v_gone.ids), '[]');
END`,
];
