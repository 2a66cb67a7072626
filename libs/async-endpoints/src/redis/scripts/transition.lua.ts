import { FIELDS } from '../codec.js';

const numbers = FIELDS.map((field, index) => `local ${field.toUpperCase()} = ${index + 1}`).join('\n');

/**
 * What every script that changes jobs begins with.
 *
 * KEYS   `shared` (jobs, leases, finished, counters, changes, revocations), then for each name `queue`
 *        (ready, scheduled, running, wake): see `keys.ts`
 *
 * `load(ids)` reads records; `leave(id, job)` and `enter(id, job)` take a job out of the indexes that its status says and
 * put it into those of its new one; `save()` writes all of it, one command for each index, whatever the number of jobs,
 * and then tells those who wait and watch. As a script is one step, nobody sees anything in between.
 */
export const TRANSITION = `
${numbers}
local JOBS, LEASES, FINISHED, COUNTERS, CHANGES, REVOCATIONS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local READY, PLANNED, RUNNING, WAKE = 1, 2, 3, 4
local SHARED = 6
local PRIORITY_STEP = 35184372088832
local CHUNK = 2000
local now = tonumber(time)
if not now then
  local clock = redis.call('TIME')
  now = clock[1] * 1000 + math.floor(clock[2] / 1000)
end

local function queue_key(queue, which) return KEYS[SHARED + (queue - 1) * 4 + which] end

-- An id can come back under another name after its job was purged: then the caller speaks of a job that is gone.
local function is_of(job, queue)
  return queue > 0 and queue_key(queue, RUNNING) == string.sub(JOBS, 1, -5) .. 'running:' .. job[NAME]
end

local function parse(text)
  local job, n = {}, 0
  for line in string.gmatch(text .. '\\n', '([^\\n]*)\\n') do n = n + 1; job[n] = line end
  return job
end

local function load(ids)
  local jobs = {}
  for first = 1, #ids, CHUNK do
    local texts = redis.call('HMGET', JOBS, unpack(ids, first, math.min(first + CHUNK - 1, #ids)))
    for n, text in ipairs(texts) do jobs[first + n - 1] = text and parse(text) end
  end
  return jobs
end

local adds, removals, writes, order, counts = {}, {}, {}, {}, {}
local changed, revoked, woken = {}, {}, {}

local function add(key, score, member)
  local list = adds[key]
  if not list then list = {}; adds[key] = list end
  list[#list + 1] = score; list[#list + 1] = member
end

local function remove(key, member)
  local list = removals[key]
  if not list then list = {}; removals[key] = list end
  list[#list + 1] = member
end

local function count(field, by) counts[field] = (counts[field] or 0) + by end

local function number(text) return string.format('%.0f', text) end

local function due_at(job) return job[DUEAT] ~= '' and tonumber(job[DUEAT]) or tonumber(job[CREATEDAT]) end

-- Equal scores stand in the order of their members, so the number of submission comes first in them.
local function member(id, job) return job[SEQUENCE] .. id end

local function rank(job) return number((100 - tonumber(job[PRIORITY])) * PRIORITY_STEP + due_at(job)) end

local function enter(id, job, queue)
  local status = job[STATUS]
  count(status .. ':' .. job[NAME], 1)
  if status == 'Q' then
    add(queue_key(queue, READY), rank(job), member(id, job))
    woken[queue_key(queue, WAKE)] = true
    count('waiting', 1)
  elseif status == 'S' then
    add(queue_key(queue, PLANNED), number(due_at(job)), member(id, job))
    woken[queue_key(queue, WAKE)] = true
    count('waiting', 1)
  elseif status == 'P' then
    add(LEASES, job[LEASEUNTIL], id)
    add(queue_key(queue, RUNNING), job[STARTEDAT], id)
  else
    local kept = { C = '([^,]+),[^,]+,[^,]+', F = '[^,]+,([^,]+),[^,]+', X = '[^,]+,[^,]+,([^,]+)' }
    local retention = job[RETENTION] ~= '' and job[RETENTION] or '86400000,604800000,86400000'
    add(FINISHED, number(tonumber(job[COMPLETEDAT]) + tonumber(string.match(retention, kept[status]))), id)
  end
end

local function leave(id, job, queue)
  local status = job[STATUS]
  count(status .. ':' .. job[NAME], -1)
  if status == 'Q' or status == 'S' then
    remove(queue_key(queue, READY), member(id, job))
    if status == 'S' then remove(queue_key(queue, PLANNED), member(id, job)) end
    count('waiting', -1)
  elseif status == 'P' then
    remove(LEASES, id)
    remove(queue_key(queue, RUNNING), id)
  else
    remove(FINISHED, id)
  end
end

local function write(id, job)
  writes[#writes + 1] = id
  writes[#writes + 1] = table.concat(job, '\\n')
end

-- A change that readers can see.
local function touch(id, job)
  job[LASTUPDATEDAT] = number(now)
  job[VERSION] = number(job[VERSION] + 1)
  changed[#changed + 1] = id .. ' ' .. job[STATUS] .. ' ' .. job[VERSION]
end

local function revoke(id, job, worker)
  job[FENCE] = number(job[FENCE] + 1)
  revoked[#revoked + 1] = worker .. ' ' .. id .. ' ' .. job[STATUS] .. ' ' .. number(job[VERSION] + 1)
end

local function in_chunks(command, key, list)
  for first = 1, #list, CHUNK do
    redis.call(command, key, unpack(list, first, math.min(first + CHUNK - 1, #list)))
  end
end

local function save()
  for key, list in pairs(removals) do in_chunks('ZREM', key, list) end
  for key, list in pairs(adds) do in_chunks('ZADD', key, list) end
  if #writes > 0 then in_chunks('HSET', JOBS, writes) end
  for field, by in pairs(counts) do
    if by ~= 0 and redis.call('HINCRBY', COUNTERS, field, by) == 0 then redis.call('HDEL', COUNTERS, field) end
  end
  for key in pairs(woken) do redis.call('ZADD', key, 0, '0') end
  if #changed > 0 then redis.call('PUBLISH', CHANGES, table.concat(changed, '\\n')) end
  if #revoked > 0 then redis.call('PUBLISH', REVOCATIONS, table.concat(revoked, '\\n')) end
end
`;
