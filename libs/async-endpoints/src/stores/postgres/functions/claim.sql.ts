import { part, verb } from './define-function.js';

export const CLAIM = [
  /** The distinct priorities of the waiting jobs of a name, the largest first. */
  part`
priorities(p_name text) RETURNS smallint[]
DECLARE
  v_priority smallint := 32767;
  v_all smallint[] := '{}';
BEGIN
  LOOP
    SELECT priority INTO v_priority FROM job WHERE name = p_name AND priority < v_priority ORDER BY priority DESC LIMIT 1;
    EXIT WHEN NOT FOUND;
    v_all := v_all || v_priority;
  END LOOP;
  RETURN v_all;
END`,
  /**
   * Locks up to p_count jobs of a name that has several priorities. It sorts first and locks then, so that it locks no more
   * jobs than it claims. It skips jobs that another claim has locked.
   */
  part`
lock_in_order(p_name text, p_priorities smallint[], p_count integer, p_aging bigint, p_time bigint) RETURNS tid[]
DECLARE
  v_next uuid[];
  v_seen uuid[] := '{}';
  v_locked tid[] := '{}';
BEGIN
  LOOP
    v_next := ARRAY(
      SELECT next.id FROM unnest(p_priorities) AS level(priority), LATERAL (
        SELECT id, scheduled_at, seq FROM job
        WHERE name = p_name AND priority = level.priority AND scheduled_at <= p_time AND status < 'InProgress' AND id <> ALL(v_seen)
        ORDER BY scheduled_at, seq LIMIT p_count - cardinality(v_locked)) AS next
      ORDER BY next.scheduled_at - level.priority * p_aging, level.priority DESC, next.seq
      LIMIT p_count - cardinality(v_locked));
    EXIT WHEN cardinality(v_next) = 0;
    v_seen := v_seen || v_next;
    v_locked := v_locked || ARRAY(SELECT ctid FROM job WHERE id = ANY(v_next) AND status < 'InProgress' FOR UPDATE SKIP LOCKED);
    EXIT WHEN cardinality(v_locked) = p_count;
  END LOOP;
  RETURN v_locked;
END`,
  /**
   * Locks up to so many jobs of a name that has one priority. What stands up to the place is not looked at: a claim would walk over
   * all that was claimed since the server last cleaned up.
   */
  part`
lock_after(p_name text, p_priority smallint, p_due bigint, p_seq bigint, p_count integer, p_time bigint) RETURNS tid[]
RETURN ARRAY(
  SELECT ctid FROM job
  WHERE name = p_name AND priority = p_priority AND (scheduled_at, seq) > (p_due, p_seq) AND scheduled_at <= p_time AND status < 'InProgress'
  ORDER BY scheduled_at, seq LIMIT p_count FOR UPDATE SKIP LOCKED);`,
  /**
   * Claims up to p_count jobs of a name.
   *
   * p_priority, p_due, p_seq the front: all before this place is claimed, as far as the caller knows; NULL where it does not
   * know
   * p_claims                  JSON: \`ClaimRow\` by \`ClaimRow\`, parted by commas; NULL for none
   * p_front                   JSON: the place of the last claim, if the name has one priority
   */
  part`
claim_name(p_name text, p_priority smallint, p_due bigint, p_seq bigint, p_count integer, p_worker text, p_lease_ms bigint,
  p_aging bigint, p_time bigint, OUT p_claimed integer, OUT p_claims text, OUT p_front text) RETURNS record
DECLARE
  v_priorities smallint[];
  v_places tid[];
  v_lease bigint;
  v_of record;
BEGIN
  IF p_priority IS NULL OR EXISTS (SELECT FROM job WHERE name = p_name AND priority > p_priority)
    OR EXISTS (SELECT FROM job WHERE name = p_name AND priority < p_priority)
  THEN
    v_priorities := priorities(p_name);
    p_priority := CASE WHEN v_priorities[2] IS NULL THEN v_priorities[1] END;
    p_due := -1;
  END IF;
  v_places := CASE WHEN v_priorities[2] IS NULL THEN lock_after(p_name, p_priority, p_due, coalesce(p_seq, -1), p_count, p_time)
    ELSE lock_in_order(p_name, v_priorities, p_count, p_aging, p_time) END;
  p_claimed := cardinality(v_places);
  IF p_claimed = 0 THEN RETURN; END IF;
  v_lease := nextval('lease_id_seq');
  WITH claimed AS (
    UPDATE job SET status = 'InProgress', started_at = p_time, reported_at = NULL, progress = NULL, fence = fence + 1,
      worker = p_worker, lease = v_lease, lease_until = p_time + p_lease_ms, version = version + 1
    WHERE ctid = ANY(v_places)
    RETURNING id, seq, priority, scheduled_at, waits_as, waiting_bytes(job) AS bytes, concat('["', id, '",[', concat_ws(',', fence, priority, retry_count,
      max_retries, crashes, created_at, scheduled_at, version), '],[', coalesce(to_json(owner)::text, 'null'), ',',
      coalesce(to_json(fingerprint)::text, 'null'), ',', coalesce(to_json(retention)::text, 'null'), ',',
      coalesce(to_json(error)::text, 'null'), '],', coalesce(to_json(attempts)::text, 'null'), ',', to_json(payload), ']') AS row
  )
  SELECT array_agg(id) AS ids, string_agg(row, ',' ORDER BY scheduled_at - priority * p_aging, priority DESC, seq) AS claims,
    max(ARRAY[scheduled_at, seq]) AS last,
    count(*) FILTER (WHERE waits_as = 'Queued') AS queued, count(*) FILTER (WHERE waits_as = 'Scheduled') AS scheduled,
    coalesce(sum(bytes) FILTER (WHERE waits_as = 'Queued'), 0) AS queued_bytes,
    coalesce(sum(bytes) FILTER (WHERE waits_as = 'Scheduled'), 0) AS scheduled_bytes INTO v_of FROM claimed;
  INSERT INTO lease (id, name, started_at, lease_until, live, ids)
  VALUES (v_lease, p_name, p_time, p_time + p_lease_ms, p_claimed, v_of.ids);
  PERFORM count_jobs(p_name, -v_of.queued, -v_of.scheduled, v_of.queued + v_of.scheduled, 0, 0, 0, -v_of.queued_bytes, -v_of.scheduled_bytes);
  PERFORM tell(v_of.ids);
  p_claims := v_of.claims;
  p_front := CASE WHEN p_priority IS NOT NULL THEN concat('[', p_priority, ',', v_of.last[1], ',', v_of.last[2], ']') END;
END`,
  /**
   * Claims jobs. Each name first gets an equal part of p_limit, then the rest goes to the names in turn.
   *
   * p_names, p_slots the names, and the most claims of each p_levels, p_dues, p_seqs the front of each, or NULL: see
   * \`claim_name\`
   * p_limit                    the most claims of all
   * returns                    JSON: the time; then, for each name that has claims, its place in p_names, from 0, its front or
   *                            null, and the claims
   */
  verb`
claim(p_names text[], p_slots integer[], p_levels smallint[], p_dues bigint[], p_seqs bigint[], p_limit integer, p_worker text,
  p_lease_ms bigint, p_aging bigint, p_synchronous boolean, p_now bigint) RETURNS text
DECLARE
  v_time bigint := now_ms(p_now);
  v_room integer := p_limit;
  v_count integer;
  v_of record;
  v_reply text := '[' || v_time;
  v_short boolean[] := ARRAY(SELECT EXISTS (SELECT FROM paused WHERE paused.name = of.name) FROM unnest(p_names) WITH ORDINALITY AS of(name, at) ORDER BY at);
BEGIN
  IF NOT p_synchronous THEN PERFORM set_config('synchronous_commit', 'off', true); END IF;
  FOR v_pass IN 1..2 LOOP
    FOR v_at IN 1..cardinality(p_names) LOOP
      v_count := least(p_slots[v_at], CASE v_pass WHEN 1 THEN ceil(v_room::numeric / (cardinality(p_names) - v_at + 1)) ELSE v_room END);
      CONTINUE WHEN v_count <= 0 OR v_short[v_at];
      v_of := claim_name(p_names[v_at], p_levels[v_at], p_dues[v_at], p_seqs[v_at], v_count, p_worker, p_lease_ms, p_aging, v_time);
      v_short[v_at] := v_of.p_claimed < v_count;
      CONTINUE WHEN v_of.p_claimed = 0;
      v_reply := concat(v_reply, ',[', v_at - 1, ',', coalesce(v_of.p_front, 'null'), ',', v_of.p_claims, ']');
      v_room := v_room - v_of.p_claimed;
      p_slots[v_at] := p_slots[v_at] - v_of.p_claimed;
    END LOOP;
    EXIT WHEN v_room = 0;
  END LOOP;
  -- The remaining jobs must not wait for a worker that was woken but is full by now.
  PERFORM wake_for_due(p_names, v_time);
  RETURN v_reply || ']';
END`,
];
