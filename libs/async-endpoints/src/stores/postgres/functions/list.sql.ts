import { verb } from './define-function.js';

/** The number of bytes of results after which a page ends. */
const MAX_RESULTS = 4 * 1024 * 1024;

/** The places in one index of the jobs that are asked for, the newest first. */
const places = (from: string, time: string, job = 'job') => `(SELECT ${job}.id, ${time} AS at, ${job}.seq FROM ${from}
      AND (${time}, ${job}.seq) < ($4, $5) ORDER BY ${time} DESC, ${job}.seq DESC LIMIT $6)`;

/**
 * Of each name and status, as many as the page may have; then the newest of those. SELECTED stands for a condition by which an
 * index finds the jobs of an owner or with an error. Parameters: $1 name, $2 statuses, $3 owner or code, $4 and $5 the place
 * before the page, $6 the most jobs.
 */
const PAGE = `
  WITH line AS (
    SELECT name, status FROM (SELECT DISTINCT name FROM tally WHERE $1 IS NULL OR name = $1) AS known, unnest($2) AS status
  ), place AS (
    SELECT place.* FROM line, LATERAL ${places(
      `job
      WHERE job.name = line.name AND waits_as = line.status AND job.status < 'InProgress' AND SELECTED`,
      'waits_since',
    )} AS place
    UNION ALL
    SELECT place.* FROM line, LATERAL ${places(
      `lease, LATERAL (
        SELECT id, seq FROM job WHERE id = ANY(lease.ids) AND job.lease = lease.id AND job.status = 'InProgress' AND SELECTED) AS job
      WHERE lease.name = line.name AND lease.started_at <= $4`,
      'lease.started_at',
    )} AS place WHERE line.status = 'InProgress'
    UNION ALL
    SELECT place.* FROM line, LATERAL ${places(
      `done WHERE done.name = line.name AND done.status = line.status AND SELECTED`,
      'completed_at',
      'done',
    )} AS place WHERE line.status > 'InProgress'
    ORDER BY at DESC, seq DESC LIMIT $6
  ), page AS (
    SELECT record.*, at,
      coalesce(sum(octet_length(result)) OVER (ORDER BY at DESC, record.seq DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) < ${MAX_RESULTS} AS fits
    FROM place, LATERAL (SELECT * FROM record WHERE id = place.id) AS record
  )
  SELECT json_agg(row_to_json(page) ORDER BY at DESC, seq DESC) FILTER (WHERE fits), count(*) = $6 OR NOT bool_and(fits) FROM page`;

export const LIST = [
  /**
   * A page of jobs, newest first: the last to come into its status is the first, and at one time the last submitted.
   *
   * p_owner, p_error  one of them, or neither
   * p_running_ms      with the status InProgress only: for how long at least
   * p_at, p_seq       the place before the page
   * returns           JSON: the time; the jobs, each with its place; whether there may be more
   */
  verb`
list(p_name text, p_statuses job_status[], p_owner text, p_error text, p_running_ms bigint, p_at bigint, p_seq bigint,
  p_limit integer, p_now bigint) RETURNS text
DECLARE
  v_time bigint := now_ms(p_now);
  v_selected text := CASE WHEN p_owner IS NOT NULL THEN 'owner = $3' WHEN p_error IS NOT NULL THEN 'error_code = $3'
    ELSE '$3 IS NULL' END;
  v_jobs json;
  v_more boolean;
BEGIN
  -- Planned at each call, for the indexes that these values ask for.
  EXECUTE replace($sql$${PAGE}$sql$, 'SELECTED', v_selected) INTO v_jobs, v_more
  USING p_name, p_statuses, coalesce(p_owner, p_error), least(p_at, v_time - p_running_ms + 1), p_seq, p_limit;
  RETURN json_build_object('now', v_time, 'jobs', coalesce(v_jobs, '[]'), 'more', coalesce(v_more, false));
END`,
];
