import type { SqlFunction } from './define-function.js';

/** An element of `p_all`. */
export const SETTLEMENT = `
CREATE TYPE settlement AS (
  n integer, id uuid, name text, fence bigint, verb text, delay bigint, result text, error_code text, error text, attempt text
);
`;

export const SETTLE: readonly SqlFunction[] = [
  {
    /** Moves running jobs to the finished ones, as they complete or fail. Returns the numbers of those whose claim it was. */
    name: 'settle_finished',
    kind: 'part',
    parameters: 'p_all settlement[], p_time bigint',
    returns: 'integer[]',
    body: `
DECLARE
  v_ended record;
  v_count record;
BEGIN
  WITH ended AS (
    DELETE FROM job USING (SELECT * FROM unnest(p_all) WHERE verb IN ('complete', 'fail') OFFSET 0) AS of
    WHERE job.id = of.id AND job.fence = of.fence AND job.name = of.name AND job.status = 'InProgress'
    RETURNING of.n, of.verb, of.result, of.error_code AS failure_code, of.error AS failure, of.attempt, job.*, job AS was
  ), kept AS (
    INSERT INTO done (id, seq, name, status, owner, priority, retry_count, max_retries, crashes, created_at, scheduled_at, started_at,
      completed_at, expires_at, progress, result, error_code, error, attempts, fence, retention, fingerprint, version, bytes, payload)
    SELECT id, seq, name, as_status, owner, priority, retry_count, max_retries, crashes, created_at, scheduled_at, started_at,
      p_time, expires_at(retention, as_status, p_time), progress, result, failure_code, failure,
      CASE verb WHEN 'fail' THEN attempts_after(was, 'fail', attempt, p_time) ELSE attempts END,
      fence, retention, fingerprint, version + 1, bytes, CASE verb WHEN 'fail' THEN payload END
    FROM (SELECT *, (CASE verb WHEN 'fail' THEN 'Failed' ELSE 'Completed' END)::job_status AS as_status FROM ended OFFSET 0) AS ended
  )
  SELECT array_agg(n) AS n, array_agg(id) AS ids, array_agg(lease) AS leases, array_agg(name) AS names, array_agg(verb) AS verbs
  INTO v_ended FROM ended;
  IF v_ended.n IS NULL THEN RETURN '{}'; END IF;
  PERFORM end_leases(v_ended.leases);
  FOR v_count IN
    SELECT name, count(*) FILTER (WHERE verb = 'complete') AS completed, count(*) FILTER (WHERE verb = 'fail') AS failed
    FROM unnest(v_ended.names, v_ended.verbs) AS of(name, verb) GROUP BY name ORDER BY name
  LOOP
    PERFORM count_jobs(v_count.name, 0, 0, -(v_count.completed + v_count.failed), v_count.completed, v_count.failed, 0, 0, 0);
  END LOOP;
  PERFORM tell(v_ended.ids);
  RETURN v_ended.n;
END`,
  },
  {
    /** Puts running jobs back to the waiting ones, for a retry or as they were. Returns the numbers of those whose claim it was. */
    name: 'settle_waiting',
    kind: 'part',
    parameters: 'p_all settlement[], p_time bigint',
    returns: 'integer[]',
    body: `
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
      error_code = CASE of.verb WHEN 'retry' THEN of.error_code ELSE job.error_code END,
      error = CASE of.verb WHEN 'retry' THEN of.error ELSE job.error END,
      attempts = CASE of.verb WHEN 'retry' THEN attempts_after(job, 'retry', of.attempt, p_time) ELSE job.attempts END,
      reported_at = NULL, progress = NULL, worker = NULL, lease_until = NULL, version = job.version + 1
    FROM (SELECT *, (CASE verb WHEN 'retry' THEN 'Scheduled' ELSE 'Queued' END)::job_status AS as_status
      FROM unnest(p_all) WHERE verb IN ('retry', 'release') OFFSET 0) AS of
    WHERE job.id = of.id AND job.fence = of.fence AND job.name = of.name AND job.status = 'InProgress'
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
  },
  {
    /** Ends claims. Returns, in JSON, the numbers of the settlements whose fence is that of the latest claim. */
    name: 'settle',
    parameters: 'p_settlements json, p_now bigint',
    returns: 'text',
    body: `
DECLARE
  v_time bigint := now_ms(p_now);
  v_all settlement[] := ARRAY(SELECT of FROM json_populate_recordset(NULL::settlement, p_settlements) AS of);
  v_done integer[];
BEGIN
  v_done := settle_finished(v_all, v_time) || settle_waiting(v_all, v_time);
  IF cardinality(v_done) < cardinality(v_all) THEN
    -- Repeats: the fence still stands, though the job is no longer in progress.
    v_done := v_done || ARRAY(
      SELECT n FROM unnest(v_all) AS of WHERE n <> ALL(v_done)
      AND EXISTS (SELECT FROM record WHERE record.id = of.id AND record.fence = of.fence AND record.name = of.name));
  END IF;
  RETURN array_to_json(v_done);
END`,
  },
  {
    /**
     * Extends leases, and writes progress. The row of `lease` stays as it is, unless the new end is earlier: a sweep looks at
     * the jobs before it believes it.
     *
     * p_renewals  JSON: an array of { n, id, fence, lease_ms, progress }
     * returns     JSON: what became of those whose claim no longer stands: { n, status }
     */
    name: 'renew',
    parameters: 'p_renewals json, p_synchronous boolean, p_now bigint',
    returns: 'text',
    body: `
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
  },
];
