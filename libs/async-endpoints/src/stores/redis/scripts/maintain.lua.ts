import { defineScript } from './define-script.js';
import { RECORD } from './record.lua.js';

/**
 * For scripts of sweeps. Include it after `RECORD`. `maintain_all(keep_ms)` maintains each name, with a few commands. It reads a
 * job only behind stale entries at the front of a queue.
 *
 * - When there are claimable jobs, it puts the wake token again. The worker that took the last token may have stopped or died.
 * - It drops entries at the front whose jobs do not exist.
 * - It corrects counters with impossible values, exactly when nothing waits. It limits counters of bytes to the possible size of
 * so many records: a rollout from a release without these counters leaves them wrong.
 * - It adds a name with completed jobs to `purges`, if it is missing there.
 * - It deletes a name without jobs, with its token. The next submission adds the name again.
 *
 * KEYS ends with `names`. `keep_ms` is how long the token of a deleted name stays: 0, unless the token serves other partitions
 * too. Returns {@link Maintained}.
 */
export const MAINTAIN = `
local NAMES = KEYS[#KEYS]
local MOST_COUNTERS = 2000
local queues = (#KEYS - SHARED - 1) / OF_QUEUE
local paused = paused_up_to(queues)
local dropped, wrong, more_wait, more_bytes, with_work, gone = 0, 0, 0, 0, {}, {}

local function set_counter(field, value)
  if value == 0 then call('HDEL', COUNTERS, field) else call('HSET', COUNTERS, field, value) end
end

-- The size of a sorted set, after dropping a bounded number of entries at the front whose jobs do not exist.
local function size_of(key, hash, id_at)
  for _ = 1, 1000 do
    local entry = call('ZRANGE', key, 0, 0)[1]
    if not entry then return 0 end
    if call('HEXISTS', hash, sub(entry, id_at)) == 1 then return call('ZCARD', key) end
    call('ZREM', key, entry)
    dropped = dropped + 1
  end
  return call('ZCARD', key)
end

local function clamp(value, least, most) return math.max(least, math.min(value, most)) end

-- The records are not read, so the exact value is known only when there are none.
local function set_bytes_right(counter, stored, jobs)
  stored = tonumber(stored or 0)
  local bytes = clamp(stored, 0, jobs * largest)
  if bytes == stored then return end
  more_bytes = more_bytes + bytes - stored
  set_counter(counter, bytes)
end

local function set_count(field, value)
  wrong = wrong + 1
  set_counter(field, value)
end

-- Corrects the counters of waiting and running jobs of the name. Returns the number of its jobs.
local function set_right(name, line, ready, in_scheduled, running)
  local counts = call('HMGET', COUNTERS, 'Q:' .. name, 'S:' .. name, 'P:' .. name, 'C:' .. name, 'F:' .. name, 'X:' .. name,
    'bytes:Q:' .. name, 'bytes:S:' .. name)
  local sum = 0
  for n = 1, 6 do
    counts[n] = tonumber(counts[n] or 0)
    if n > 3 then sum = sum + counts[n] end
  end
  -- A retried job in the sorted set may be claimable and still count as scheduled. The list may contain stale entries.
  local scheduled = clamp(counts[2], in_scheduled, in_scheduled + ready)
  local queued = clamp(counts[1], ready + in_scheduled - scheduled, line + ready + in_scheduled - scheduled)
  more_wait = more_wait + queued + scheduled - counts[1] - counts[2]
  if queued ~= counts[1] then set_count('Q:' .. name, queued) end
  if scheduled ~= counts[2] then set_count('S:' .. name, scheduled) end
  if running ~= counts[3] then set_count('P:' .. name, running) end
  set_bytes_right('bytes:Q:' .. name, counts[7], queued)
  set_bytes_right('bytes:S:' .. name, counts[8], scheduled)
  return sum + queued + scheduled + running
end

local function maintain(queue, keep_ms)
  local name = name_of(queue)
  first_in_line(queue)
  local line = call('LLEN', queue_key(queue, LINE))
  local ready = size_of(queue_key(queue, READY), JOBS, 9)
  local in_scheduled = size_of(queue_key(queue, SCHEDULED), JOBS, 9)
  local running = size_of(queue_key(queue, RUNNING), CLAIMS, 1)
  if line + ready > 0 and not paused[queue] then
    call('ZADD', queue_key(queue, WAKE), 0, '0')
    with_work[#with_work + 1] = queue
  end
  if call('EXISTS', queue_key(queue, COMPLETED)) == 1 and not call('ZRANK', PURGES, name) then
    call('ZADD', PURGES, 0, name)
  end
  if set_right(name, line, ready, in_scheduled, running) > 0 or line > 0 then return end
  call('SREM', NAMES, name)
  gone[#gone + 1] = queue
  if keep_ms == '0' then call('DEL', queue_key(queue, WAKE)) else call('PEXPIRE', queue_key(queue, WAKE), keep_ms) end
end

-- The total is the sum over all names. With many names, it is only corrected by the sum of their corrections.
local function set_totals_right()
  local stored = call('HMGET', COUNTERS, 'waiting', 'waitingBytes')
  local stored_waiting, stored_bytes = tonumber(stored[1] or 0), tonumber(stored[2] or 0)
  local waiting, bytes = math.max(stored_waiting + more_wait, 0), math.max(stored_bytes + more_bytes, 0)
  if call('HLEN', COUNTERS) <= MOST_COUNTERS then
    waiting, bytes = 0, 0
    local counters = call('HGETALL', COUNTERS)
    for n = 1, #counters, 2 do
      if find(counters[n], '^[QS]:') then waiting = waiting + counters[n + 1] end
      if find(counters[n], '^bytes:') then bytes = bytes + counters[n + 1] end
    end
  end
  if waiting ~= stored_waiting then set_count('waiting', waiting) end
  if bytes ~= stored_bytes then set_counter('waitingBytes', bytes) end
end

local function maintain_all(keep_ms)
  go_on_when_full()
  for queue = 1, queues do maintain(queue, keep_ms) end
  set_totals_right()
  return { dropped, wrong, with_work, gone, call('HLEN', COUNTERS) }
end
`;

/**
 * The number of dropped entries; the number of wrong counters; the names with claimable jobs, and the deleted names, as indexes
 * from 1; the number of counters, which changes when a name is added.
 */
export type Maintained = [dropped: number, wrong: number, withWork: number[], gone: number[], counters: number];

/**
 * Maintains some names.
 *
 * KEYS     as in `record.lua.ts`; then `names`
 * time     the clock in ms, or '' for the clock of Redis
 * keepMs as `keep_ms` above
 */
export const maintainScript = defineScript<Maintained>({
  name: 'maintain',
  args: ['time', 'keepMs'],
  lua: `${RECORD}${MAINTAIN}
return maintain_all(keepMs)`,
});
