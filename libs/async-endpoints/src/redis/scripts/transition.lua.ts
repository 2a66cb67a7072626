/**
 * What every script that changes jobs begins with.
 *
 * KEYS   `shared` (jobs, leases, finished, counters, changes, revocations), then for each name `queue`
 *        (ready, scheduled, running, wake): see `keys.ts`
 *
 * `load(ids)` reads records and `parse` takes one apart. `leave(id, job, queue)` and `enter(id, job, queue)` take a job
 * out of the indexes that its status says and put it into those of its new one; `write(id, job)` keeps the record. `save()`
 * does all of it, one command for each index, whatever the number of jobs, and then tells those who wait and watch. As a
 * script is one step, nobody sees anything in between.
 */
export const TRANSITION = `
local JOBS, LEASES, FINISHED, COUNTERS, CHANGES, REVOCATIONS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local READY, PLANNED, RUNNING, WAKE = 1, 2, 3, 4
local SHARED, CHUNK, PRIORITY_STEP = 6, 2000, 35184372088832
local USUAL_RETENTION = { C = 86400000, F = 604800000, X = 86400000 }
local RETENTION = { C = '^(%d+)', F = '^%d+,(%d+)', X = '^%d+,%d+,(%d+)' }
local RECORD = '^(%d)(%a)(%d+),(%d+),(%d*),(%d*),(%d*),([^\\n]*)\\n' ..
  '(%x+),(%-?%d+),(%d+),(%d+),(%d+),(%d+)\\n' ..
  '([^\\n]*\\n[^\\n]*\\n[^\\n]*\\n[^\\n]*\\n[^\\n]*\\n)([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n(.*)$'
local format, match, sub = string.format, string.match, string.sub
local call = redis.call

local now = tonumber(time)
if not now then
  local clock = call('TIME')
  now = clock[1] * 1000 + math.floor(clock[2] / 1000)
end

local function number(value) return format('%.0f', value) end

local NOW = number(now)

local function queue_key(queue, which) return KEYS[SHARED + (queue - 1) * 4 + which] end

local queue_names = {}
local function name_of(queue)
  local name = queue_names[queue]
  if not name then
    name = sub(queue_key(queue, RUNNING), #JOBS - 4 + #'running:' + 1)
    queue_names[queue] = name
  end
  return name
end

local function parse(text)
  local f, status, fence, version, updated, started, second, worker, sequence, priority, created, due, retries, crashes,
    fixed, progress, failure, result, rest = match(text, RECORD)
  return { format = f, status = status, fence = fence, version = version, updated = updated, started = started,
    second = second, worker = worker, sequence = sequence, priority = priority, created = created, due = due,
    retries = retries, crashes = crashes, fixed = fixed, progress = progress, error = failure, result = result, rest = rest }
end

local function text_of(job)
  return job.format .. job.status .. job.fence .. ',' .. job.version .. ',' .. job.updated .. ',' .. job.started .. ',' ..
    job.second .. ',' .. job.worker .. '\\n' .. job.sequence .. ',' .. job.priority .. ',' .. job.created .. ',' ..
    job.due .. ',' .. job.retries .. ',' .. job.crashes .. '\\n' .. job.fixed .. job.progress .. '\\n' ..
    job.error .. '\\n' .. job.result .. '\\n' .. job.rest
end

-- An id can come back under another name after its job was purged: then the caller speaks of a job that is gone.
local function is_of(job, queue)
  if queue == 0 then return false end
  local name = name_of(queue)
  return sub(job.fixed, 1, #name + 1) == name .. '\\n'
end

local function load_texts(ids)
  if #ids <= CHUNK then return #ids > 0 and call('HMGET', JOBS, unpack(ids)) or {} end
  local all = {}
  for first = 1, #ids, CHUNK do
    local texts = call('HMGET', JOBS, unpack(ids, first, math.min(first + CHUNK - 1, #ids)))
    for n, text in ipairs(texts) do all[first + n - 1] = text end
  end
  return all
end

local function load(ids)
  local jobs = load_texts(ids)
  for n, text in ipairs(jobs) do jobs[n] = text and parse(text) end
  return jobs
end

local adds, removals, writes, counts = {}, {}, {}, {}
local changed, revoked, woken = {}, {}, {}
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

local function due_at(job) return job.created + job.due end

-- Equal scores stand in the order of their members, so the number of submission comes first in them.
local function member(id, job) return job.sequence .. id end

local function rank(job) return number((100 - job.priority) * PRIORITY_STEP + due_at(job)) end

local function kept_for(status, retention)
  return retention == '' and USUAL_RETENTION[status] or match(retention, RETENTION[status])
end

-- When a finished job may go.
local function purgeable_at(job)
  return number(job.second + kept_for(job.status, match(job.fixed, '^[^\\n]*\\n[^\\n]*\\n[^\\n]*\\n([^\\n]*)')))
end

local function enter(id, job, queue)
  local status = job.status
  if status == 'Q' then
    add(queue_key(queue, READY), rank(job), member(id, job))
    woken[queue_key(queue, WAKE)] = true
    count('waiting', 1)
  elseif status == 'S' then
    add(queue_key(queue, PLANNED), number(due_at(job)), member(id, job))
    woken[queue_key(queue, WAKE)] = true
    count('waiting', 1)
  elseif status == 'P' then
    add(LEASES, job.second, id)
    add(queue_key(queue, RUNNING), job.started, id)
  else
    add(FINISHED, purgeable_at(job), id)
  end
  count(status .. ':' .. name_of(queue), 1)
end

local function leave(id, job, queue)
  local status = job.status
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
  count(status .. ':' .. name_of(queue), -1)
end

local function write_text(id, text)
  local n = #writes
  writes[n + 1] = id
  writes[n + 2] = text
end

local function write(id, job) write_text(id, text_of(job)) end

local function announce_change(id, status, version) changed[#changed + 1] = id .. ' ' .. status .. ' ' .. version end

-- A change that readers can see.
local function touch(id, job)
  job.updated = NOW
  job.version = number(job.version + 1)
  if is_watched then announce_change(id, job.status, job.version) end
end

-- Makes the present claim worthless, and tells its worker. Before touch.
local function revoke(id, job, worker)
  job.fence = number(job.fence + 1)
  if worker then
    revoked[#revoked + 1] = worker .. ' ' .. id .. ' ' .. job.status .. ' ' .. number(job.version + 1)
  end
end

local function in_chunks(command, key, list)
  for first = 1, #list, CHUNK do
    call(command, key, unpack(list, first, math.min(first + CHUNK - 1, #list)))
  end
end

local function save()
  for key, list in pairs(removals) do in_chunks('ZREM', key, list) end
  for key, list in pairs(adds) do in_chunks('ZADD', key, list) end
  if #writes > 0 then in_chunks('HSET', JOBS, writes) end
  for field, by in pairs(counts) do
    if by ~= 0 and call('HINCRBY', COUNTERS, field, by) == 0 then call('HDEL', COUNTERS, field) end
  end
  for key in pairs(woken) do call('ZADD', key, 0, '0') end
  if #changed > 0 then call('PUBLISH', CHANGES, table.concat(changed, '\\n')) end
  if #revoked > 0 then call('PUBLISH', REVOCATIONS, table.concat(revoked, '\\n')) end
end
`;
