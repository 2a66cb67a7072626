import { joins, part } from './define-function.js';

/** Concurrent submissions may add up to this many jobs, or bytes. Nearer to a limit, submissions run one after the other. */
const REACH_JOBS = 64_000;
const REACH_BYTES = 256 * 1024 * 1024;

/** An element of `p_jobs`. */
export const NEW_JOB = `
CREATE TYPE new_job AS (
  n integer, id uuid, name text, owner text, priority smallint, delay bigint, max_retries integer, retention text,
  fingerprint text, bytes integer, queue_limit bigint, queue_bytes bigint, scope text, key_ms bigint, payload text
);
`;

/**
 * Inserts jobs. Jobs with a new id and key are inserted together. The rest, which are known or near a limit, follow one by one.
 *
 * p_jobs      JSON: an array of `new_job`
 * p_count     how many jobs; p_size their bytes
 * p_is_plain  whether no job has a key or a limit of its name
 * p_limit     the queue limit of all names
 * p_bytes     the limit of waiting bytes of all names, or NULL
 * p_within    whether the caller commits later: then it takes no lock that would make others wait, and checks limits against
 *             the committed jobs
 * returns     JSON: the time, and the outcome of each job that was not created: { n, refused } or { n, on, known }
 */
export const SUBMIT = [
  /** The number and bytes of the waiting jobs, of one name or of all. */
  part`
waiting(p_name text, OUT v_count bigint, OUT v_bytes bigint) RETURNS record
SELECT coalesce(sum(queued + scheduled), 0), coalesce(sum(queued_bytes + scheduled_bytes), 0) INTO v_count, v_bytes
FROM tally WHERE p_name IS NULL OR name = p_name;`,
  /**
   * Whether so many more jobs or bytes would exceed a limit. Near a limit, it takes a lock, so that submissions run one after
   * the other.
   */
  part`
is_near_limit(p_name text, p_count bigint, p_size bigint, p_limit bigint, p_bytes bigint, p_within boolean) RETURNS boolean
DECLARE
  v_waiting record;
BEGIN
  v_waiting := waiting(p_name);
  IF NOT p_within AND (v_waiting.v_count + p_count + ${REACH_JOBS} > p_limit OR v_waiting.v_bytes + p_size + ${REACH_BYTES} > p_bytes) THEN
    PERFORM hold('limit.' || coalesce(p_name, ''), true);
    v_waiting := waiting(p_name);
  END IF;
  RETURN coalesce(v_waiting.v_count + p_count > p_limit, false) OR coalesce(v_waiting.v_bytes + p_size >= p_bytes, false);
END`,
  /** Inserts the jobs whose id and key are both new. Returns their numbers. */
  part`
submit_new(p_jobs new_job[], p_time bigint) RETURNS integer[]
DECLARE
  v_made integer[];
  v_ids uuid[];
  v_known uuid[];
  v_scopes text[];
BEGIN
  WITH keyed AS (
    INSERT INTO idempotency
      SELECT DISTINCT ON (scope) scope, id, p_time + key_ms FROM unnest(p_jobs) WHERE scope IS NOT NULL ORDER BY scope, n
    ON CONFLICT DO NOTHING RETURNING scope, id
  ), fresh AS (
    SELECT new.* FROM (SELECT DISTINCT ON (id) * FROM unnest(p_jobs) ORDER BY id, n) AS new LEFT JOIN keyed USING (scope, id)
    WHERE (new.scope IS NULL OR keyed.id IS NOT NULL)
      -- The job of a key of this batch, which may be purged: whether the key counts depends on the order.
      AND new.id NOT IN (SELECT known.id FROM unnest(p_jobs) AS other JOIN idempotency AS known USING (scope))
  ), made AS (
    INSERT INTO job (id, name, status, waits_as, owner, priority, max_retries, created_at, scheduled_at, waits_since, retention,
      fingerprint, bytes, payload)
    SELECT id, name, status_of(delay), status_of(delay), owner, priority, max_retries, p_time, p_time + delay, p_time, retention,
      fingerprint, bytes, payload FROM fresh ORDER BY n
    ON CONFLICT (id) DO NOTHING RETURNING id
  )
  SELECT (SELECT array_agg(n) FROM fresh JOIN made USING (id)), (SELECT array_agg(id) FROM made), (SELECT array_agg(scope) FROM keyed)
  INTO v_made, v_ids, v_scopes;
  v_made := coalesce(v_made, '{}');
  -- A new snapshot: it shows the jobs that ended while the insert waited for them.
  v_known := ARRAY(SELECT id FROM done WHERE id = ANY(v_ids));
  IF cardinality(v_known) > 0 THEN
    DELETE FROM job WHERE id = ANY(v_known);
    v_made := ARRAY(SELECT made.n FROM unnest(v_made) AS made(n) JOIN unnest(p_jobs) AS new USING (n) WHERE new.id <> ALL(v_known));
  END IF;
  IF v_scopes IS NOT NULL AND cardinality(v_made) < cardinality(p_jobs) THEN
    DELETE FROM idempotency USING unnest(p_jobs) AS new LEFT JOIN unnest(v_made) AS made(n) USING (n)
    WHERE made.n IS NULL AND idempotency.scope = new.scope AND idempotency.id = new.id AND new.scope = ANY(v_scopes)
      AND NOT EXISTS (SELECT FROM unnest(p_jobs) AS other JOIN unnest(v_made) AS of_made(n) USING (n)
        WHERE other.id = new.id AND other.scope = new.scope);
  END IF;
  RETURN v_made;
END`,
  /** The job of a key or an id. NULL for none. */
  part`
known_job(p_new new_job, p_time bigint) RETURNS json
DECLARE
  v_known json;
BEGIN
  IF p_new.scope IS NOT NULL THEN
    SELECT row_to_json(record) INTO v_known FROM idempotency AS key JOIN record USING (id)
    WHERE key.scope = p_new.scope AND key.expires_at > p_time;
    IF FOUND THEN RETURN json_build_object('n', p_new.n, 'on', 'key', 'known', v_known); END IF;
  END IF;
  SELECT row_to_json(record) INTO v_known FROM record WHERE id = p_new.id;
  IF FOUND THEN RETURN json_build_object('n', p_new.n, 'on', 'id', 'known', v_known); END IF;
  RETURN NULL;
END`,
  /** Submits a job that may be known or exceed a limit. Returns NULL when it was created. */
  part`
submit_one(p_new new_job, p_limit bigint, p_bytes bigint, p_time bigint) RETURNS json
DECLARE
  v_reply json;
BEGIN
  -- Insert the key first, so that two submissions with the same key run one after the other.
  WHILE p_new.scope IS NOT NULL LOOP
    INSERT INTO idempotency VALUES (p_new.scope, p_new.id, 0) ON CONFLICT DO NOTHING;
    PERFORM FROM idempotency WHERE scope = p_new.scope FOR UPDATE;
    EXIT WHEN FOUND;
  END LOOP;
  LOOP
    v_reply := known_job(p_new, p_time);
    IF v_reply IS NULL THEN
      IF is_near_limit(NULL, 1, 0, p_limit, p_bytes, true) THEN
        v_reply := json_build_object('n', p_new.n, 'refused', 'total');
      ELSIF is_near_limit(p_new.name, 1, 0, p_new.queue_limit, p_new.queue_bytes, true) THEN
        v_reply := json_build_object('n', p_new.n, 'refused', 'name');
      END IF;
    END IF;
    EXIT WHEN v_reply IS NOT NULL;
    INSERT INTO job (id, name, status, waits_as, owner, priority, max_retries, created_at, scheduled_at, waits_since, retention,
      fingerprint, bytes, payload)
    VALUES (p_new.id, p_new.name, status_of(p_new.delay), status_of(p_new.delay), p_new.owner, p_new.priority, p_new.max_retries,
      p_time, p_time + p_new.delay, p_time, p_new.retention, p_new.fingerprint, p_new.bytes, p_new.payload)
    ON CONFLICT (id) DO NOTHING;
    IF FOUND THEN
      UPDATE idempotency SET id = p_new.id, expires_at = p_time + p_new.key_ms WHERE scope = p_new.scope;
      PERFORM count_jobs(p_new.name, (p_new.delay = 0)::integer, (p_new.delay > 0)::integer, 0, 0, 0, 0, CASE WHEN p_new.delay = 0 THEN p_new.bytes ELSE 0 END,
        CASE WHEN p_new.delay > 0 THEN p_new.bytes ELSE 0 END);
      RETURN NULL;
    END IF;
  END LOOP;
  DELETE FROM idempotency WHERE scope = p_new.scope AND expires_at = 0;
  RETURN v_reply;
END`,
  /**
   * Inserts jobs that have neither keys nor limits of their own, as nearly all: in one statement, without making values of them.
   * Returns whether none of them was known; where one was, nothing is inserted.
   */
  part`
submit_plain(p_jobs json, p_count integer, p_within boolean, p_time bigint) RETURNS boolean
DECLARE
  v_made record;
  v_of record;
BEGIN
  WITH made AS (
    INSERT INTO job (id, name, status, waits_as, owner, priority, max_retries, created_at, scheduled_at, waits_since, retention,
      fingerprint, bytes, payload)
    SELECT id, name, status_of(delay), status_of(delay), owner, priority, max_retries, p_time, p_time + delay, p_time, retention,
      fingerprint, bytes, payload FROM json_populate_recordset(NULL::new_job, p_jobs)
    ON CONFLICT (id) DO NOTHING RETURNING id, name, status, bytes
  )
  SELECT array_agg(id) AS ids, array_agg(name) AS names, array_agg(status) AS statuses, array_agg(bytes) AS bytes INTO v_made FROM made;
  -- In a new snapshot: who finished while the insert waited for its end is seen here.
  IF coalesce(cardinality(v_made.ids), 0) < p_count OR EXISTS (SELECT FROM done WHERE id = ANY(v_made.ids)) THEN
    DELETE FROM job WHERE id = ANY(v_made.ids);
    RETURN false;
  END IF;
  FOR v_of IN
    SELECT name, count(*) FILTER (WHERE status = 'Queued') AS queued, count(*) FILTER (WHERE status = 'Scheduled') AS scheduled,
      coalesce(sum(bytes) FILTER (WHERE status = 'Queued'), 0) AS queued_bytes,
      coalesce(sum(bytes) FILTER (WHERE status = 'Scheduled'), 0) AS scheduled_bytes
    FROM unnest(v_made.names, v_made.statuses, v_made.bytes) AS of(name, status, bytes) GROUP BY name ORDER BY name
  LOOP
    PERFORM count_jobs(v_of.name, v_of.queued, v_of.scheduled, 0, 0, 0, 0, v_of.queued_bytes, v_of.scheduled_bytes);
    PERFORM announce(v_of.name, v_of.queued + v_of.scheduled, p_within);
  END LOOP;
  RETURN true;
END`,
  /** Wakes workers for new jobs, in a transaction of the caller's once it is committed. */
  part`
announce(p_name text, p_count bigint, p_within boolean) RETURNS void
IF p_within THEN PERFORM pg_notify(current_schema() || '.work', p_name); ELSE PERFORM wake(p_name, p_count); END IF;`,
  /** Submits jobs of which some have keys or limits, or are known, or do not fit: those, one by one. Returns replies. */
  part`
submit_any(p_jobs new_job[], p_is_near boolean, p_limit bigint, p_bytes bigint, p_within boolean, p_time bigint) RETURNS json[]
DECLARE
  v_of record;
  v_new new_job;
  v_made integer[] := '{}';
  v_reply json;
  v_replies json[] := '{}';
BEGIN
  FOR v_of IN
    SELECT name, count(*) AS count, sum(bytes) AS bytes, min(queue_limit) AS queue_limit, min(queue_bytes) AS queue_bytes
    FROM unnest(p_jobs) GROUP BY name
    HAVING bool_or(queue_limit IS NOT NULL OR queue_bytes IS NOT NULL) ORDER BY name
  LOOP
    p_is_near := is_near_limit(v_of.name, v_of.count, v_of.bytes, v_of.queue_limit, v_of.queue_bytes, p_within) OR p_is_near;
  END LOOP;
  IF NOT p_is_near THEN
    v_made := coalesce(submit_new(p_jobs, p_time), '{}');
    PERFORM count_jobs(name, queued, count - queued, 0, 0, 0, 0, queued_bytes, bytes - queued_bytes) FROM (
      SELECT name, count(*) AS count, sum(bytes) AS bytes, count(*) FILTER (WHERE delay = 0) AS queued,
        coalesce(sum(bytes) FILTER (WHERE delay = 0), 0) AS queued_bytes
      FROM unnest(p_jobs) JOIN unnest(v_made) AS made(n) USING (n) GROUP BY name ORDER BY name) AS of;
  END IF;
  FOREACH v_new IN ARRAY ARRAY(
    SELECT new FROM unnest(p_jobs) AS new LEFT JOIN unnest(v_made) AS made(n) USING (n) WHERE made.n IS NULL ORDER BY n)
  LOOP
    v_reply := submit_one(v_new, p_limit, p_bytes, p_time);
    IF v_reply IS NOT NULL THEN v_replies := v_replies || v_reply; ELSE v_made := v_made || v_new.n; END IF;
  END LOOP;
  PERFORM announce(name, count, p_within) FROM (
    SELECT name, count(*) AS count FROM unnest(p_jobs) JOIN unnest(v_made) AS made(n) USING (n) GROUP BY name ORDER BY name) AS new;
  RETURN v_replies;
END`,
  joins`
submit(p_jobs json, p_count integer, p_size bigint, p_is_plain boolean, p_limit bigint, p_bytes bigint, p_within boolean,
  p_now bigint) RETURNS text
DECLARE
  v_is_near boolean := is_near_limit(NULL, p_count, p_size, p_limit, p_bytes, p_within);
  v_time bigint := now_ms(p_now);
  v_replies json[] := '{}';
BEGIN
  -- A key in an open transaction must not delay the rest of the batch: the store retries the batch without it.
  IF NOT p_within THEN PERFORM set_config('lock_timeout', '250ms', true); END IF;
  IF v_is_near OR NOT p_is_plain OR NOT submit_plain(p_jobs, p_count, p_within, v_time) THEN
    v_replies := submit_any(ARRAY(SELECT new FROM json_populate_recordset(NULL::new_job, p_jobs) AS new), v_is_near, p_limit, p_bytes,
      p_within, v_time);
  END IF;
  RETURN json_build_object('now', v_time, 'others', v_replies);
END`,
];
