import { part, verb } from './define-function.js';

/** Notifications to processes that wait for work, that subscribe to a job, or that have a worker. */
export const NOTIFY = [
  /**
   * Notifies up to p_count processes that wait for jobs of the name. It takes the same lock as `await_work`. A process that
   * begins to wait has therefore either seen these jobs, or its row is found here.
   */
  part`
wake(p_name text, p_count bigint) RETURNS void
DECLARE
  v_channel text;
BEGIN
  PERFORM hold('work.' || p_name, false);
  IF EXISTS (SELECT FROM paused WHERE name = p_name) THEN RETURN; END IF;
  FOR v_channel IN DELETE FROM waiter WHERE name = p_name AND channel IN
    (SELECT channel FROM waiter WHERE name = p_name LIMIT p_count FOR UPDATE SKIP LOCKED) RETURNING channel
  LOOP
    PERFORM pg_notify(v_channel, json_build_object('work', p_name)::text);
  END LOOP;
END`,
  /** Wakes one waiting process for each of the names that has a claimable job. */
  part`
wake_for_due(p_names text[], p_time bigint) RETURNS void
DECLARE
  v_name text;
BEGIN
  FOR v_name IN
    SELECT DISTINCT name FROM waiter
    WHERE (p_names IS NULL OR name = ANY(p_names)) AND name NOT IN (SELECT name FROM paused) ORDER BY name
  LOOP
    IF earliest_due(v_name) <= p_time THEN PERFORM wake(v_name, 1); END IF;
  END LOOP;
END`,
  /**
   * Registers a process that waits for jobs of these names. Returns the time until the first is claimable, in ms; NULL when
   * there is none. When the time is 0, nothing is registered. A submission either holds the lock of `wake`, and this function
   * waits for it, or it finds the row.
   */
  verb`
await_work(p_names text[], p_channel text, p_pid integer, p_now bigint) RETURNS bigint
DECLARE
  v_name text;
  v_due bigint;
BEGIN
  FOREACH v_name IN ARRAY p_names LOOP
    PERFORM hold('work.' || v_name, true);
    IF NOT EXISTS (SELECT FROM paused WHERE name = v_name) THEN v_due := least(v_due, earliest_due(v_name)); END IF;
  END LOOP;
  v_due := CASE WHEN v_due IS NOT NULL THEN greatest(v_due - now_ms(p_now), 0) END;
  IF v_due > 0 OR v_due IS NULL THEN
    INSERT INTO waiter SELECT name, p_channel, p_pid FROM unnest(p_names) AS name
    ON CONFLICT (name, channel) DO UPDATE SET pid = p_pid WHERE waiter.pid <> p_pid;
  END IF;
  RETURN v_due;
END`,
  /** Notifies the processes that subscribe to one of the jobs. It takes the same lock as `follow`. */
  part`
tell(p_ids uuid[]) RETURNS void
DECLARE
  v_row record;
BEGIN
  IF p_ids IS NULL THEN RETURN; END IF;
  PERFORM hold('watch', false);
  IF NOT EXISTS (SELECT FROM watch) THEN RETURN; END IF;
  FOR v_row IN
    SELECT channel, json_agg(json_build_array(id, status, version)) AS changes FROM (
      SELECT watch.channel, record.id, record.status, record.version, row_number() OVER (PARTITION BY watch.channel) / 80 AS part
      FROM watch, LATERAL (SELECT id, status, version FROM job WHERE id = watch.id
        UNION ALL SELECT id, status, version FROM done WHERE id = watch.id) AS record
      WHERE watch.id = ANY(p_ids)) AS change
    GROUP BY channel, part
  LOOP
    PERFORM pg_notify(v_row.channel, json_build_object('changes', v_row.changes)::text);
  END LOOP;
END`,
  /**
   * Registers a process that subscribes to jobs. Returns their states, in JSON. A change of a job either holds the lock of
   * `tell`, and this function waits for it, or it finds the row.
   */
  verb`
follow(p_ids uuid[], p_channel text, p_pid integer) RETURNS text
PERFORM hold('watch', true);
INSERT INTO watch SELECT id, p_channel, p_pid FROM unnest(p_ids) AS id ORDER BY id
ON CONFLICT (id, channel) DO UPDATE SET pid = p_pid WHERE watch.pid <> p_pid;
RETURN coalesce((SELECT json_agg(json_build_array(id, status, version)) FROM record WHERE id = ANY(p_ids)), '[]');`,
  /** Removes the registration of a process that subscribes to jobs. */
  verb`
unfollow(p_ids uuid[], p_channel text) RETURNS void
DELETE FROM watch WHERE id = ANY(p_ids) AND channel = p_channel;`,
  /** Notifies every process that a claim was revoked, because the worker may be in any of them. */
  part`
tell_revoked(p_worker text, p_id uuid, p_status job_status, p_version integer) RETURNS void
PERFORM pg_notify(current_schema() || '.revoked', json_build_array(left(p_worker, 1000), p_id, p_status, p_version)::text);`,
];
