import type { SqlFunction } from './define-function.js';

export const CLAIM: readonly SqlFunction[] = [
  {
    /** The priorities in use among the waiting jobs of a name, the largest first. */
    name: 'priorities',
    kind: 'part',
    parameters: 'p_name text',
    returns: 'smallint[]',
    body: `
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
  },
  {
    /**
     * Locks up to so many jobs of a name that has several priorities. The order is decided first and locked then, so that no more
     * is locked than is claimed; what another claim has locked is passed over.
     */
    name: 'lock_in_order',
    kind: 'part',
    parameters: 'p_name text, p_priorities smallint[], p_count integer, p_aging bigint, p_time bigint',
    returns: 'tid[]',
    body: `
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
  },
  {
    /** Claims up to so many jobs of a name. Returns them in JSON, each with its payload; NULL for none. */
    name: 'claim_name',
    kind: 'part',
    parameters: 'p_name text, p_count integer, p_worker text, p_lease_ms bigint, p_aging bigint, p_time bigint',
    returns: 'json',
    body: `
DECLARE
  v_priorities smallint[] := priorities(p_name);
  v_places tid[];
  v_ids uuid[];
  v_lease bigint;
  v_queued bigint;
  v_scheduled bigint;
  v_queued_bytes bigint;
  v_scheduled_bytes bigint;
  v_claims json;
BEGIN
  IF v_priorities[2] IS NULL THEN
    v_places := ARRAY(
      SELECT ctid FROM job
      WHERE name = p_name AND priority = v_priorities[1] AND scheduled_at <= p_time AND status < 'InProgress'
      ORDER BY scheduled_at, seq LIMIT p_count FOR UPDATE SKIP LOCKED);
  ELSE
    v_places := lock_in_order(p_name, v_priorities, p_count, p_aging, p_time);
  END IF;
  SELECT array_agg(id), count(*) FILTER (WHERE status = 'Queued'), count(*) FILTER (WHERE status = 'Scheduled'),
    coalesce(sum(waiting_bytes(job)) FILTER (WHERE status = 'Queued'), 0),
    coalesce(sum(waiting_bytes(job)) FILTER (WHERE status = 'Scheduled'), 0)
  INTO v_ids, v_queued, v_scheduled, v_queued_bytes, v_scheduled_bytes FROM job WHERE ctid = ANY(v_places);
  IF v_ids IS NULL THEN RETURN NULL; END IF;
  INSERT INTO lease (name, started_at, lease_until, live, ids) VALUES (p_name, p_time, p_time + p_lease_ms, cardinality(v_ids), v_ids)
  RETURNING id INTO v_lease;
  WITH claimed AS (
    UPDATE job SET status = 'InProgress', started_at = p_time, reported_at = NULL, progress = NULL, fence = fence + 1,
      worker = p_worker, lease = v_lease, lease_until = p_time + p_lease_ms, version = version + 1
    WHERE ctid = ANY(v_places) RETURNING *
  )
  SELECT json_agg(row_to_json(claimed) ORDER BY scheduled_at - priority * p_aging, priority DESC, seq) INTO v_claims FROM claimed;
  PERFORM count_jobs(p_name, -v_queued, -v_scheduled, v_queued + v_scheduled, 0, 0, 0, -v_queued_bytes, -v_scheduled_bytes);
  PERFORM tell(v_ids);
  RETURN v_claims;
END`,
  },
  {
    /**
     * Claims jobs. Names take turns: each has an equal part first, then what is left.
     *
     * p_names, p_slots  the names, and the most claims of each
     * p_limit           the most claims of all
     * returns           JSON: an array of arrays of claimed jobs
     */
    name: 'claim',
    parameters:
      'p_names text[], p_slots integer[], p_limit integer, p_worker text, p_lease_ms bigint, p_aging bigint, p_synchronous boolean, p_now bigint',
    returns: 'text',
    body: `
DECLARE
  v_time bigint := now_ms(p_now);
  v_room integer := p_limit;
  v_count integer;
  v_claims json;
  v_all json[] := '{}';
  v_short boolean[] := ARRAY(SELECT EXISTS (SELECT FROM paused WHERE paused.name = of.name) FROM unnest(p_names) WITH ORDINALITY AS of(name, at) ORDER BY at);
BEGIN
  IF NOT p_synchronous THEN PERFORM set_config('synchronous_commit', 'off', true); END IF;
  FOR v_pass IN 1..2 LOOP
    FOR v_at IN 1..cardinality(p_names) LOOP
      v_count := least(p_slots[v_at], CASE v_pass WHEN 1 THEN ceil(v_room::numeric / (cardinality(p_names) - v_at + 1)) ELSE v_room END);
      CONTINUE WHEN v_count <= 0 OR v_short[v_at];
      v_claims := claim_name(p_names[v_at], v_count, p_worker, p_lease_ms, p_aging, v_time);
      v_short[v_at] := coalesce(json_array_length(v_claims), 0) < v_count;
      CONTINUE WHEN v_claims IS NULL;
      v_all := v_all || v_claims;
      v_room := v_room - json_array_length(v_claims);
      p_slots[v_at] := p_slots[v_at] - json_array_length(v_claims);
    END LOOP;
    EXIT WHEN v_room = 0;
  END LOOP;
  -- What is left must not wait for a worker that was woken but is full by now.
  PERFORM wake_for_due(p_names, v_time);
  RETURN array_to_json(v_all);
END`,
  },
];
