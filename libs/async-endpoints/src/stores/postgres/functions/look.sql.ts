import { verb } from './define-function.js';

/** Functions that read jobs and statistics, and that register processes. */
export const LOOK = [
  /**
   * Finds jobs by their ids. Where p_owned is true, the job must belong to the owner at the same position; this is decided
   * before the record is read. Returns JSON: an array of the position, from 0, and the record.
   */
  verb`
find(p_ids uuid[], p_owners text[], p_owned boolean[]) RETURNS text
RETURN (
  SELECT coalesce(json_agg(json_build_array(at - 1, row_to_json(record))), '[]')
  FROM unnest(p_ids, p_owners, p_owned) WITH ORDINALITY AS wanted(id, owner, is_owned, at), LATERAL (
    SELECT * FROM record WHERE record.id = wanted.id AND (NOT wanted.is_owned OR record.owner IS NOT DISTINCT FROM wanted.owner)
  ) AS record);`,
  /** The payload of a job, as a JSON string. */
  verb`
payload(p_id uuid) RETURNS text
RETURN (SELECT to_json(payload) FROM (
  SELECT payload FROM job WHERE id = p_id UNION ALL SELECT payload FROM done WHERE id = p_id) AS held);`,
  /** The number of jobs by name and status, and the age of the oldest. Returns JSON. */
  verb`
stats(p_now bigint) RETURNS text
DECLARE
  v_time bigint := now_ms(p_now);
BEGIN
  RETURN json_build_object(
    'paused', coalesce((SELECT json_agg(name) FROM paused), '[]'),
    'counts', coalesce((SELECT json_agg(of) FROM (
      SELECT name, sum(queued) AS queued, sum(scheduled) AS scheduled, sum(running) AS running, sum(completed) AS completed,
        sum(failed) AS failed, sum(canceled) AS canceled, sum(queued_bytes) AS queued_bytes, sum(scheduled_bytes) AS scheduled_bytes,
        CASE WHEN sum(queued + scheduled) > 0 THEN greatest(v_time - earliest_due(name), 0) END AS waiting_ms,
        CASE WHEN sum(running) > 0 THEN greatest(v_time - (SELECT min(started_at) FROM lease WHERE lease.name = tally.name), 0) END AS running_ms
      FROM tally GROUP BY name) AS of), '[]'));
END`,
  verb`
ping() RETURNS void
-- Fails in a read-only transaction, for example on a replica.
IF pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' THEN
  RAISE EXCEPTION 'The server accepts no changes' USING ERRCODE = 'read_only_sql_transaction';
END IF;`,
  verb`
pause(p_names text[], p_by text, p_now bigint) RETURNS void
INSERT INTO paused SELECT name, now_ms(p_now), p_by FROM unnest(p_names) AS name ORDER BY name ON CONFLICT DO NOTHING;`,
  verb`
resume(p_names text[], p_now bigint) RETURNS void
DELETE FROM paused WHERE name = ANY(p_names);
PERFORM wake(name, 1) FROM (SELECT name FROM unnest(p_names) AS name ORDER BY name) AS resumed;`,
  verb`
paused_names() RETURNS text
RETURN (SELECT coalesce(json_agg(row_to_json(paused)), '[]') FROM paused);`,
  verb`
register(p_id text, p_entry text, p_alive_ms bigint, p_now bigint) RETURNS void
DECLARE
  v_time bigint := now_ms(p_now);
BEGIN
  INSERT INTO worker VALUES (p_id, p_entry, v_time, v_time + p_alive_ms)
  ON CONFLICT (id) DO UPDATE SET entry = p_entry, heartbeat_at = v_time, alive_until = v_time + p_alive_ms;
END`,
  verb`
unregister(p_id text) RETURNS void
DELETE FROM worker WHERE id = p_id;`,
  verb`
workers(p_now bigint) RETURNS text
RETURN (SELECT coalesce(json_agg(row_to_json(worker)), '[]') FROM worker WHERE alive_until > now_ms(p_now));`,
  /** Stores an action of an operator for the log of a worker. Keeps the latest 1,000 actions. */
  verb`
report_action(p_entry text) RETURNS void
DECLARE
  v_seq bigint;
BEGIN
  INSERT INTO action (entry) VALUES (p_entry) RETURNING seq INTO v_seq;
  DELETE FROM action WHERE seq <= v_seq - 1000;
END`,
  verb`
take_actions() RETURNS text
DECLARE
  v_taken text;
BEGIN
  WITH taken AS (
    DELETE FROM action WHERE seq = ANY(ARRAY(SELECT seq FROM action ORDER BY seq LIMIT 100 FOR UPDATE SKIP LOCKED)) RETURNING seq, entry
  )
  SELECT coalesce(json_agg(entry ORDER BY seq), '[]') INTO v_taken FROM taken;
  RETURN v_taken;
END`,
];
