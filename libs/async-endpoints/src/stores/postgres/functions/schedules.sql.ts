import { part, verb } from './define-function.js';

/** An element of `p_firings` of `fire`. */
export const FIRING = `
CREATE TYPE firing AS (n integer, name text, version bigint, next_at bigint, at bigint, job json, overlap text);
`;

export const SCHEDULES = [
  part`
schedule_changed() RETURNS void
PERFORM tell_revoked('async-endpoints:schedules', '00000000-0000-0000-0000-000000000000', NULL, 0);`,
  /**
   * Adds or replaces schedules. Returns them, in JSON.
   *
   * p_schedules  JSON: an array of { name, job, timing, definition, next_at }
   */
  verb`
declare_schedules(p_schedules json, p_now bigint) RETURNS text
DECLARE
  v_time bigint := now_ms(p_now);
  v_changed integer;
BEGIN
  INSERT INTO schedule AS known (name, job, timing, definition, next_at, counts_from)
  SELECT name, job, timing, definition, next_at, v_time
  FROM json_to_recordset(p_schedules) AS given(name text, job text, timing text, definition text, next_at bigint) ORDER BY name
  ON CONFLICT (name) DO UPDATE SET job = excluded.job, timing = excluded.timing, definition = excluded.definition,
    next_at = CASE WHEN known.timing = excluded.timing THEN known.next_at ELSE excluded.next_at END,
    counts_from = CASE WHEN known.timing = excluded.timing THEN known.counts_from ELSE v_time END,
    version = known.version + 1
  WHERE (known.job, known.timing, known.definition) <> (excluded.job, excluded.timing, excluded.definition);
  GET DIAGNOSTICS v_changed = ROW_COUNT;
  IF v_changed > 0 THEN PERFORM schedule_changed(); END IF;
  RETURN find_schedules(ARRAY(SELECT name FROM json_to_recordset(p_schedules) AS given(name text)));
END`,
  verb`
find_schedules(p_names text[]) RETURNS text
RETURN (SELECT coalesce(json_agg(row_to_json(schedule)), '[]') FROM schedule WHERE name = ANY(p_names));`,
  /** Removes schedules. Returns the names of those that existed, in JSON. */
  verb`
remove_schedules(p_names text[]) RETURNS text
DECLARE
  v_removed text[];
BEGIN
  WITH removed AS (DELETE FROM schedule WHERE name = ANY(p_names) RETURNING name)
  SELECT coalesce(array_agg(name), '{}') INTO v_removed FROM removed;
  IF cardinality(v_removed) > 0 THEN PERFORM schedule_changed(); END IF;
  RETURN array_to_json(v_removed);
END`,
  verb`
pause_schedules(p_names text[], p_by text, p_now bigint) RETURNS text
UPDATE schedule SET paused_at = now_ms(p_now), paused_by = p_by, version = version + 1 WHERE name = ANY(p_names) AND paused_at IS NULL;
IF FOUND THEN PERFORM schedule_changed(); END IF;
RETURN find_schedules(p_names);`,
  verb`
resume_schedules(p_names text[], p_now bigint) RETURNS text
UPDATE schedule SET paused_at = NULL, paused_by = NULL, counts_from = now_ms(p_now), version = version + 1
WHERE name = ANY(p_names) AND paused_at IS NOT NULL;
IF FOUND THEN PERFORM schedule_changed(); END IF;
RETURN find_schedules(p_names);`,
  verb`
list_schedules(p_after text, p_limit integer) RETURNS text
RETURN (SELECT coalesce(json_agg(row_to_json(page) ORDER BY name), '[]') FROM (
  SELECT * FROM schedule WHERE p_after IS NULL OR name > p_after ORDER BY name LIMIT p_limit) AS page);`,
  /** The schedules of these jobs with the earliest next instants. Returns JSON: the time, and the schedules. */
  verb`
next_schedules(p_jobs text[], p_limit integer, p_now bigint) RETURNS text
RETURN json_build_object('now', now_ms(p_now), 'schedules', (
  SELECT coalesce(json_agg(row_to_json(page) ORDER BY next_at), '[]') FROM (
    SELECT next.* FROM unnest(p_jobs) AS of(job), LATERAL (
      SELECT * FROM schedule WHERE job = of.job AND paused_at IS NULL AND next_at IS NOT NULL ORDER BY next_at LIMIT p_limit
    ) AS next ORDER BY next_at LIMIT p_limit) AS page));`,
  /** Advances one schedule. Returns JSON: the outcome, and the record of the job. */
  part`
fire_one(p_firing firing, p_limit bigint, p_bytes bigint, p_now bigint) RETURNS json
DECLARE
  v_known schedule;
  v_new new_job;
  v_is_busy boolean;
  v_reply json;
BEGIN
  SELECT * INTO v_known FROM schedule WHERE name = p_firing.name FOR UPDATE;
  IF v_known.version IS DISTINCT FROM p_firing.version OR v_known.paused_at IS NOT NULL THEN RETURN json_build_object('outcome', 'lost'); END IF;
  v_is_busy := p_firing.job IS NOT NULL AND p_firing.overlap <> 'allow'
    AND EXISTS (SELECT FROM job WHERE id = v_known.last_job_id);
  IF v_is_busy AND p_firing.overlap = 'queue' THEN RETURN json_build_object('outcome', 'unfinished'); END IF;
  IF p_firing.job IS NOT NULL AND NOT v_is_busy THEN
    v_new := json_populate_record(NULL::new_job, p_firing.job);
    -- Checks the limits like a submission that is near them. The row of the schedule is locked, so no other process inserts this
    -- job.
    PERFORM is_near_limit(NULL, 1, 0, p_limit, p_bytes, false), is_near_limit(v_new.name, 1, 0, v_new.queue_limit, v_new.queue_bytes, false);
    v_reply := submit_one(v_new, p_limit, p_bytes, now_ms(p_now));
    IF v_reply ->> 'refused' IS NOT NULL THEN RETURN json_build_object('outcome', 'refused'); END IF;
    IF v_reply IS NULL THEN PERFORM wake(v_new.name, 1); END IF;
    UPDATE schedule SET last_at = p_firing.at, last_job_id = v_new.id WHERE name = p_firing.name;
  END IF;
  UPDATE schedule SET next_at = p_firing.next_at, version = version + 1 WHERE name = p_firing.name;
  RETURN json_build_object('outcome', CASE WHEN v_is_busy THEN 'skipped' WHEN v_new.id IS NULL THEN 'moved' ELSE 'fired' END,
    'job', (SELECT row_to_json(record) FROM record WHERE id = v_new.id));
END`,
  /**
   * Advances schedules and inserts their jobs. Returns JSON: the outcome of each, in order.
   *
   * p_firings  JSON: an array of `firing`
   */
  verb`
fire(p_firings json, p_limit bigint, p_bytes bigint, p_now bigint) RETURNS text
DECLARE
  v_firing firing;
  v_replies json[] := '{}';
BEGIN
  FOR v_firing IN SELECT * FROM json_populate_recordset(NULL::firing, p_firings) ORDER BY name, n LOOP
    v_replies[v_firing.n] := fire_one(v_firing, p_limit, p_bytes, p_now);
  END LOOP;
  RETURN array_to_json(v_replies);
END`,
];
