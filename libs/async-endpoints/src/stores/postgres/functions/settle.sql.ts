import { part, verb } from './define-function.js';

/** What each verb is given; arrays that no settlement needs are NULL. */
const GIVEN = `unnest(p_ids, p_names, p_fences, p_verbs, p_values, p_codes, p_attempts, p_delays) WITH ORDINALITY
      AS of(id, name, fence, verb, value, code, attempt, delay, n)`;
const IS_OF = "job.id = of.id AND job.fence = of.fence AND job.name = of.name AND job.status = 'InProgress'";
const PARAMETERS = `p_ids uuid[], p_names text[], p_fences bigint[], p_verbs text[], p_values text[], p_codes text[], p_attempts text[],
      p_delays bigint[]`;

export const SETTLE = [
  /** Completes and fails jobs: moves them from `job` to `done`. Returns the numbers of the settlements with a valid fence. */
  part`
settle_finished(${PARAMETERS}, p_time bigint) RETURNS bigint[]
DECLARE
  v_ended record;
  v_count record;
BEGIN
  WITH ended AS (
    DELETE FROM job USING ${GIVEN} WHERE ${IS_OF} AND of.verb IN ('complete', 'fail')
    RETURNING of.n, job.lease, job.id, job.seq, job.name, (CASE of.verb WHEN 'fail' THEN 'Failed' ELSE 'Completed' END)::job_status AS status,
      job.owner, job.priority, job.retry_count, job.max_retries, job.crashes, job.created_at, job.scheduled_at, job.started_at, job.progress,
      of.value, of.code, CASE of.verb WHEN 'fail' THEN attempts_after(job, 'fail', of.attempt, p_time) ELSE job.attempts END AS attempts,
      job.fence, job.retention, job.fingerprint, job.version, job.bytes, CASE of.verb WHEN 'fail' THEN job.payload END AS payload
  ), kept AS (
    INSERT INTO done (id, seq, name, status, owner, priority, retry_count, max_retries, crashes, created_at, scheduled_at, started_at,
      completed_at, expires_at, progress, result, error_code, error, attempts, fence, retention, fingerprint, version, bytes, payload)
    SELECT id, seq, name, status, owner, priority, retry_count, max_retries, crashes, created_at, scheduled_at, started_at,
      p_time, expires_at(retention, status, p_time), progress, CASE status WHEN 'Completed' THEN value END, code,
      CASE status WHEN 'Failed' THEN value END, attempts, fence, retention, fingerprint, version + 1, bytes, payload
    FROM ended
  )
  SELECT array_agg(n) AS n, array_agg(id) AS ids, array_agg(lease) AS leases, array_agg(name) AS names, array_agg(status) AS statuses
  INTO v_ended FROM ended;
  IF v_ended.n IS NULL THEN RETURN '{}'; END IF;
  PERFORM end_leases(v_ended.leases);
  FOR v_count IN
    SELECT name, count(*) FILTER (WHERE status = 'Completed') AS completed, count(*) FILTER (WHERE status = 'Failed') AS failed
    FROM unnest(v_ended.names, v_ended.statuses) AS of(name, status) GROUP BY name ORDER BY name
  LOOP
    PERFORM count_jobs(v_count.name, 0, 0, -(v_count.completed + v_count.failed), v_count.completed, v_count.failed, 0, 0, 0);
  END LOOP;
  PERFORM tell(v_ended.ids);
  RETURN v_ended.n;
END`,
  /** Retries and releases jobs: they wait again. Returns the numbers of the settlements with a valid fence. */
  part`
settle_waiting(${PARAMETERS}, p_time bigint) RETURNS bigint[]
DECLARE
  v_back record;
  v_count record;
BEGIN
  WITH back AS (
    UPDATE job SET
      status = of.as_status, waits_as = of.as_status, waits_since = p_time,
      retry_count = job.retry_count + (of.verb = 'retry')::integer,
      scheduled_at = CASE of.verb WHEN 'retry' THEN p_time + of.delay ELSE job.scheduled_at END,
      started_at = CASE of.verb WHEN 'retry' THEN job.started_at END,
      error_code = CASE of.verb WHEN 'retry' THEN of.code ELSE job.error_code END,
      error = CASE of.verb WHEN 'retry' THEN of.value ELSE job.error END,
      attempts = CASE of.verb WHEN 'retry' THEN attempts_after(job, 'retry', of.attempt, p_time) ELSE job.attempts END,
      reported_at = NULL, progress = NULL, worker = NULL, lease_until = NULL, version = job.version + 1
    FROM (SELECT *, (CASE verb WHEN 'retry' THEN 'Scheduled' ELSE 'Queued' END)::job_status AS as_status FROM ${GIVEN}
      WHERE verb IN ('retry', 'release') OFFSET 0) AS of
    WHERE ${IS_OF}
    RETURNING of.n, of.verb, job.id, job.name, job.lease, waiting_bytes(job) AS bytes
  )
  SELECT array_agg(n) AS n, array_agg(id) AS ids, array_agg(lease) AS leases, array_agg(name) AS names, array_agg(verb) AS verbs,
    array_agg(bytes) AS bytes INTO v_back FROM back;
  IF v_back.n IS NULL THEN RETURN '{}'; END IF;
  PERFORM end_leases(v_back.leases);
  FOR v_count IN
    SELECT name, count(*) FILTER (WHERE verb = 'retry') AS retried, count(*) FILTER (WHERE verb = 'release') AS released,
      coalesce(sum(bytes) FILTER (WHERE verb = 'retry'), 0) AS retried_bytes, coalesce(sum(bytes) FILTER (WHERE verb = 'release'), 0) AS released_bytes
    FROM unnest(v_back.names, v_back.verbs, v_back.bytes) AS of(name, verb, bytes) GROUP BY name ORDER BY name
  LOOP
    PERFORM count_jobs(v_count.name, v_count.released, v_count.retried, -(v_count.retried + v_count.released), 0, 0, 0,
      v_count.released_bytes, v_count.retried_bytes);
    PERFORM wake(v_count.name, v_count.retried + v_count.released);
  END LOOP;
  PERFORM tell(v_back.ids);
  RETURN v_back.n;
END`,
  /**
   * Ends claims.
   *
   * p_values             the results of completed jobs, and the errors of failed and retried ones, in JSON
   * p_codes, p_attempts  of those errors the codes, and what is kept of them with the attempts
   * p_delays             of retries, in ms; NULL where no job waits again
   * returns              JSON: the numbers, from 1, of the settlements whose fence is that of the latest claim; NULL for all
   */
  verb`
settle(${PARAMETERS}, p_now bigint) RETURNS text
DECLARE
  v_time bigint := now_ms(p_now);
  v_done bigint[] := settle_finished(p_ids, p_names, p_fences, p_verbs, p_values, p_codes, p_attempts, p_delays, v_time);
BEGIN
  IF p_delays IS NOT NULL THEN
    v_done := v_done || settle_waiting(p_ids, p_names, p_fences, p_verbs, p_values, p_codes, p_attempts, p_delays, v_time);
  END IF;
  IF cardinality(v_done) = cardinality(p_ids) THEN RETURN NULL; END IF;
  -- Repeated settlements: the fence is unchanged, although the job is no longer in progress.
  RETURN array_to_json(v_done || ARRAY(
    SELECT n FROM unnest(p_ids, p_names, p_fences) WITH ORDINALITY AS of(id, name, fence, n) WHERE n <> ALL(v_done)
    AND EXISTS (SELECT FROM record WHERE record.id = of.id AND record.fence = of.fence AND record.name = of.name)));
END`,
  /**
   * Extends leases and writes progress. The row of `lease` changes only when the new end is earlier: a sweep checks the jobs
   * before it relies on that row.
   *
   * p_renewals  JSON: an array of { n, id, fence, lease_ms, progress }
   * returns     JSON: the renewals whose claim is no longer valid: { n, status }
   */
  verb`
renew(p_renewals json, p_synchronous boolean, p_now bigint) RETURNS text
DECLARE
  v_time bigint := now_ms(p_now);
  v_held record;
BEGIN
  IF NOT p_synchronous THEN PERFORM set_config('synchronous_commit', 'off', true); END IF;
  WITH of AS MATERIALIZED (
    SELECT * FROM json_to_recordset(p_renewals) AS of(n integer, id uuid, fence bigint, lease_ms bigint, progress text)
  ), held AS (
    UPDATE job SET lease_until = v_time + of.lease_ms, progress = coalesce(of.progress, job.progress),
      version = job.version + (of.progress IS NOT NULL)::integer,
      reported_at = CASE WHEN of.progress IS NULL THEN job.reported_at ELSE v_time END
    FROM of WHERE job.id = of.id AND job.fence = of.fence AND job.status = 'InProgress'
    RETURNING of.n, of.progress, job.id, job.lease, job.lease_until
  ), earlier AS (
    UPDATE lease SET lease_until = held.lease_until FROM (SELECT lease, min(lease_until) AS lease_until FROM held GROUP BY lease) AS held
    WHERE lease.id = held.lease AND held.lease_until < lease.lease_until
  )
  SELECT array_agg(n) AS n, array_agg(id) FILTER (WHERE progress IS NOT NULL) AS ids INTO v_held FROM held;
  PERFORM tell(v_held.ids);
  IF cardinality(v_held.n) = json_array_length(p_renewals) THEN RETURN '[]'; END IF;
  RETURN (
    SELECT json_agg(json_build_object('n', of.n, 'status', coalesce(
      (SELECT status::text FROM job WHERE job.id = of.id AND job.fence = of.fence AND status = 'InProgress'),
      (SELECT status::text FROM done WHERE done.id = of.id))))
    FROM json_to_recordset(p_renewals) AS of(n integer, id uuid, fence bigint) WHERE of.n <> ALL(coalesce(v_held.n, '{}')));
END`,
];
