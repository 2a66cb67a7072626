import { MAX_ATTEMPTS } from '../../../job/attempts.js';
import { DEFAULT_RETENTION as USUAL } from '../../../job/job.js';
import { OF_FIXED } from './layout.lua.js';
import { LISTED } from './listed.lua.js';
import { RECORD } from './record.lua.js';

/**
 * The beginning of every script that changes jobs. Include it after `RECORD`.
 *
 * Call in this order: `leave(id, job, queue)` removes a job from the indexes of its old status, `write(id, job)` writes its
 * record, `enter(id, job, queue)` adds it to the indexes of its new status. `save()` executes all changes, with one command for
 * each index whatever the number of jobs, and then notifies waiters and subscribers. A script is one atomic step, so no client
 * sees a state in between.
 *
 * time     the clock in ms, or '' for the clock of Redis
 * announce 1 to publish changes always, '' to publish only when the channel has subscribers on this server channels the beginning
 * of the channel names
 */
export const TRANSITION = `${RECORD}${LISTED}
local USUAL_RETENTION = { C = ${USUAL.completedMs}, F = ${USUAL.failedMs}, X = ${USUAL.canceledMs} }
local RETENTION = { C = '^(%d+)', F = '^%d+,(%d+)', X = '^%d+,%d+,(%d+)' }
local adds, removals, writes, claims, unclaimed, counts = {}, {}, {}, {}, {}, {}
local completed, kept_until, leased = {}, nil, {}
local changed, revoked, woken = {}, {}, {}
local TOLD, MAX_ATTEMPTS = 1024, ${MAX_ATTEMPTS}
local DIGITS = { [0] = '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f' }
local CHANGES, REVOCATIONS = channels .. ':changes', channels .. ':revocations'
local is_watched = announce ~= '' or call('PUBSUB', 'NUMSUB', CHANGES)[2] > 0

local function add(key, score, member)
  local list = adds[key]
  if not list then list = {}; adds[key] = list end
  local n = #list
  list[n + 1] = score; list[n + 2] = member
end

local function remove(key, member)
  local list = removals[key]
  if not list then list = {}; removals[key] = list end
  list[#list + 1] = member
end

local function count(field, by) counts[field] = (counts[field] or 0) + by end

local function wake(queue) woken[queue_key(queue, WAKE)] = true end

local function put(list, id, text)
  local n = #list
  list[n + 1] = id; list[n + 2] = text
end

local function kept_for(status, fixed)
  local retention = match(fixed, ${OF_FIXED.retention})
  return retention and match(retention, RETENTION[status]) or USUAL_RETENTION[status]
end

-- The end of the retention of a terminal job.
local function purgeable_at(job) return job.completed + kept_for(job.status, job.fixed) end

local function list(id, job, is_named)
  for _, entry in ipairs(entries_of(id, job, is_named)) do add(LISTED, '0', entry) end
end

local function unlist(id, job, is_named)
  for _, entry in ipairs(entries_of(id, job, is_named)) do remove(LISTED, entry) end
end

-- Jobs nearly always complete in the order of their purge, so a list of each name is enough to find them.
-- Returns true when the job is in \`finished\` instead.
local function enter_completed(id, queue, until_ms)
  kept_until = kept_until or tonumber(call('HGET', COUNTERS, 'kept') or '0')
  if until_ms < kept_until then
    add(FINISHED, number(until_ms), id)
    return true
  end
  kept_until = until_ms
  local list_here = completed[queue]
  if not list_here then list_here = { until_ms = until_ms }; completed[queue] = list_here end
  list_here[#list_here + 1] = id
end

-- Jobs whose leases end at the same time share an entry. It is dropped after that time, when no claim needs it.
local function lease(id, until_ms)
  local list = leased[until_ms]
  if not list then list = {}; leased[until_ms] = list end
  list[#list + 1] = id
end

local ATTEMPTS = ${OF_FIXED.attempts}

-- Adds the current attempt to the failed attempts of a job in progress. The last ones are kept, in the sixth fixed line.
local function keep_attempt(job, outcome, failure)
  local attempt = '[' .. number(job.retries + job.crashes + 1) .. ',' .. job.worker .. ',' .. job.started .. ',' .. NOW ..
    ',"' .. outcome .. '",' .. failure .. ']'
  local first, kept, rest = match(job.fixed, ATTEMPTS)
  kept = kept == '' and attempt or kept .. '\\t' .. attempt
  local _, others = string.gsub(kept, '\\t', '')
  if others >= MAX_ATTEMPTS then kept = sub(kept, find(kept, '\\t', 1, true) + 1) end
  job.fixed = first .. kept .. '\\n' .. rest
  if job.lines < '6' then job.lines = '6' end
end

local function count_waiting(job, queue, by)
  count('waiting', by)
  count('waitingBytes', by * job.size)
  count('bytes:' .. job.status .. ':' .. name_of(queue), by * job.size)
end

local function enter(id, job, queue)
  local status, is_named = job.status, true
  if status == 'Q' then
    add(queue_key(queue, READY), number(rank(job)), member(id, job))
  elseif status == 'S' then
    add(queue_key(queue, SCHEDULED), number(scheduled_at(job)), member(id, job))
  elseif status == 'C' then
    is_named = enter_completed(id, queue, purgeable_at(job))
  else
    add(FINISHED, number(purgeable_at(job)), id)
  end
  if status == 'Q' or status == 'S' then
    wake(queue)
    count_waiting(job, queue, 1)
  end
  count(status .. ':' .. name_of(queue), 1)
  list(id, job, is_named)
end

-- An entry in the line stays; a claim skips it.
local function leave(id, job, queue, entries)
  local status = job.status
  if status == 'Q' or status == 'S' then
    remove(queue_key(queue, READY), member(id, job))
    if status == 'S' then remove(queue_key(queue, SCHEDULED), member(id, job)) end
    count_waiting(job, queue, -1)
  elseif status == 'P' then
    unclaimed[#unclaimed + 1] = id
    remove(queue_key(queue, RUNNING), id)
  else
    remove(FINISHED, id)
  end
  count(status .. ':' .. name_of(queue), -1)
  for _, entry in ipairs(entries or entries_of(id, job, true)) do remove(LISTED, entry) end
end

local function write(id, job)
  local text = text_of(job)
  job.size = #text
  put(writes, id, text)
  return text
end

-- Proves that a script wrote the text: only clients that may read keys know the secret (see \`seal.ts\`).
local function seal(text)
  local secret = call('HGET', COUNTERS, 'secret')
  return secret and redis.sha1hex(secret .. redis.sha1hex(secret .. text)) or ''
end

-- Publishes a change, with the record on the same line if it is small, so that subscribers need not read it.
local told_whole = false
local function announce_change(id, status, version, text)
  local line = id .. ' ' .. status .. ' ' .. version
  if text and #text <= TOLD then
    told_whole = true
    line = line .. ' ' .. string.gsub(text, '\\n', '\\30')
  end
  changed[#changed + 1] = line
end

-- Marks a change that readers can see.
local function touch(id, job)
  job.updated = NOW
  job.version = number(job.version + 1)
  if is_watched then announce_change(id, job.status, job.version) end
end

-- Revokes the current claim and notifies its worker. Call it before touch.
local function revoke(id, job, worker)
  job.fence = number(job.fence + 1)
  if worker then
    revoked[#revoked + 1] = worker .. ' ' .. id .. ' ' .. job.status .. ' ' .. number(job.version + 1)
  end
end

local function in_chunks(command, key, list)
  local reply
  for first = 1, #list, CHUNK do
    reply = call(command, key, unpack(list, first, math.min(first + CHUNK - 1, #list)))
  end
  return reply
end

-- The next \`n\` numbers of a counter, in the form in which they precede an id.
local function numbers(counter, n)
  local last = call('HINCRBY', COUNTERS, counter, n) - n
  local known, prefix
  return function(nth) -- formatting consecutive numbers would be the slowest part
    local value = (last + nth) % 4294967296
    local digit = value % 16
    if value - digit ~= known then
      known = value - digit
      prefix = format('%07x', known / 16)
    end
    return prefix .. DIGITS[digit]
  end
end

-- Rounded up to a power of two, so that it seldom changes.
local function note_largest()
  local before = largest
  for n = 2, #writes, 2 do
    while #writes[n] > largest do largest = 2 * largest end
  end
  if largest > before then call('HSET', COUNTERS, 'largest', number(largest)) end
end

local function save()
  for key, list in pairs(removals) do in_chunks('ZREM', key, list) end
  for key, list in pairs(adds) do in_chunks('ZADD', key, list) end
  in_chunks('HDEL', CLAIMS, unclaimed)
  in_chunks('HSET', CLAIMS, claims)
  in_chunks('HSET', JOBS, writes)
  note_largest()
  for until_ms, list in pairs(leased) do
    if #list > 0 then call('ZADD', LEASES, until_ms, table.concat(list, ' ')) end
  end
  for queue, ids in pairs(completed) do
    local number_of = numbers('completed', #ids)
    for n, id in ipairs(ids) do ids[n] = number_of(n) .. id end
    local length = in_chunks('RPUSH', queue_key(queue, COMPLETED), ids)
    if length == #ids then call('ZADD', PURGES, number(ids.until_ms), name_of(queue)) end
  end
  if kept_until then call('HSET', COUNTERS, 'kept', number(kept_until)) end
  for field, by in pairs(counts) do
    if by ~= 0 and call('HINCRBY', COUNTERS, field, by) == 0 then call('HDEL', COUNTERS, field) end
  end
  for key in pairs(woken) do call('ZADD', key, 0, '0') end
  if #changed > 0 then
    local text = table.concat(changed, '\\n')
    call('PUBLISH', CHANGES, (told_whole and seal(text) or '') .. '\\n' .. text)
  end
  if #revoked > 0 then
    local text = table.concat(revoked, '\\n')
    call('PUBLISH', REVOCATIONS, seal(text) .. '\\n' .. text)
  end
end
`;
