import { OF_CLAIM, OF_FIXED, OF_RECORD, OF_REST } from './layout.lua.js';

/**
 * The beginning of every script that reads jobs: the keys, the time, and functions that parse and write records.
 *
 * KEYS   `shared` (jobs, claims, leases, finished, counters, paused, listed, purges), then for each name `queue`
 *        (line, ready, scheduled, running, wake, completed): see `keys.ts`
 *
 * `codec.ts` describes records and claims. A job with a claim is in progress, whatever status its record has.
 */
export const RECORD = `
local JOBS, CLAIMS, LEASES, FINISHED, COUNTERS, PAUSED, LISTED, PURGES = unpack(KEYS, 1, 8)
local LINE, READY, SCHEDULED, RUNNING, WAKE, COMPLETED = 1, 2, 3, 4, 5, 6
local SHARED, OF_QUEUE, CHUNK, PRIORITY_STEP = 8, 6, 2000, 35184372088832
local CLAIM = ${OF_CLAIM.all}
local CLAIM_END = ${OF_CLAIM.leaseUntil}
local LONGEST_FIRST_LINE = 200
local byte, find, format, match, sub = string.byte, string.find, string.format, string.match, string.sub
local call = redis.call

local function number(value) return format('%.0f', value) end

-- The store's clock does not go back when the clock of the server does. Sweeps store the difference: see \`silence.lua.ts\`.
local clock_now = tonumber(time)
if not clock_now then
  local clock = call('TIME')
  clock_now = clock[1] * 1000 + math.floor(clock[2] / 1000)
end
local CLOCK = '^(%d+),(%d+),(%d+),(%d+),(%d+),(%d)$'
local clock_text, largest = unpack(call('HMGET', COUNTERS, 'clock', 'largest'))
local offset, seen, silent_from, silent_until, grace_until, is_witnessed = match(clock_text or '0,0,0,0,0,0', CLOCK)
offset, seen = tonumber(offset or 0), tonumber(seen or 0)
local now = math.max(clock_now + offset, seen)

local NOW = number(now)

-- The most bytes of records that a script reads, plus one record, because the next record may be the largest so far.
local MOST_BYTES, USUAL_BYTES = 4194304, 4096
largest = math.max(tonumber(largest or USUAL_BYTES) or USUAL_BYTES, USUAL_BYTES)
local bytes_read = 0

-- The number of records to read before checking their size.
local function step() return math.min(CHUNK, math.max(1, math.floor((MOST_BYTES - bytes_read) / largest))) end

-- A full Redis refuses commands that may need memory, unless the script has already written. This write changes nothing.
local function go_on_when_full() call('HDEL', COUNTERS, '') end

local function queue_key(queue, which) return KEYS[SHARED + (queue - 1) * OF_QUEUE + which] end

local queue_names = {}
local function name_of(queue)
  local name = queue_names[queue]
  if not name then
    name = sub(queue_key(queue, RUNNING), #JOBS - 4 + #'running:' + 1)
    queue_names[queue] = name
  end
  return name
end

-- Nil when the record or the claim cannot be read.
local function parse(text, claim)
  local status, sequence, lines, length, created, due, priority, retries, crashes, at = match(text, ${OF_RECORD.stable})
  if not at then return nil end
  local fence, version, updated, started, completed, fixed_at = match(text, ${OF_RECORD.changing}, at)
  if not fixed_at or fixed_at > LONGEST_FIRST_LINE then return nil end
  local fixed_end = fixed_at + tonumber(length, 16)
  local fixed = sub(text, fixed_at, fixed_end - 1)
  local progress, failure, result, payload_at = match(text, ${OF_REST.all}, fixed_end)
  if not payload_at or byte(fixed, -1) ~= 10 or not find(fixed, ${OF_FIXED.isWhole}) then return nil end
  local job = { status = status, sequence = sequence, lines = lines, created = created, due = due, priority = priority,
    retries = retries, crashes = crashes, fence = fence, version = version, updated = updated, started = started,
    completed = completed, fixed = fixed, progress = progress, error = failure,
    result = result, payload = sub(text, payload_at), size = #text }
  if status == 'R' then job.status = 'Q' end
  if claim then
    job.status = 'P'
    job.fence, job.version, job.started, job.lease, job.updated, job.worker, job.progress = match(claim, CLAIM)
    if not job.fence then return nil end
  end
  return job
end

-- The record of a job that is not in progress. Only new jobs are in the list.
local function text_of(job)
  return '1' .. (job.status == 'Q' and 'R' or job.status) .. job.sequence .. job.lines .. format('%06x', #job.fixed) .. job.created .. ',' ..
    job.due .. ',' .. job.priority .. ',' .. job.retries .. ',' .. job.crashes .. ';' .. job.fence .. ',' .. job.version .. ',' ..
    job.updated .. ',' .. job.started .. ',' .. job.completed .. '\\n' .. job.fixed .. job.progress .. '\\n' ..
    job.error .. '\\n' .. job.result .. '\\n' .. job.payload
end

local function claim_of(job)
  local claim = job.fence .. ',' .. job.version .. ',' .. job.started .. ',' .. job.lease .. ',' .. job.updated .. ',' ..
    job.worker
  return job.progress == '' and claim or claim .. '\\n' .. job.progress
end

-- An id can be reused under another name after its job was purged. The caller then means a job that no longer exists.
local function is_of(fixed, queue)
  if queue == 0 then return false end
  local name = name_of(queue)
  return find(fixed, name, 1, true) == 1 and byte(fixed, #name + 1) == 10
end

local function has_fence(claim, fence) return find(claim, fence, 1, true) == 1 and byte(claim, #fence + 1) == 44 end

-- The next number, both as text. Cached, because most are small and formatting numbers is slow.
local next_of = setmetatable({}, { __index = function(known, text)
  local following = number(text + 1)
  known[text] = following
  return following
end })

local function read(key, ids)
  if #ids <= CHUNK then return #ids > 0 and call('HMGET', key, unpack(ids)) or {} end
  local all = {}
  for first = 1, #ids, CHUNK do
    local texts = call('HMGET', key, unpack(ids, first, math.min(first + CHUNK - 1, #ids)))
    for n, text in ipairs(texts) do all[first + n - 1] = text end
  end
  return all
end

-- For each queue up to this one: its entry in \`paused\`, or false.
local function paused_up_to(last)
  local names = {}
  for queue = 1, last do names[queue] = name_of(queue) end
  return read(PAUSED, names)
end

-- Reads as many of the records as the limit allows, from the first, at least one.
local function read_some(ids)
  local texts, known = {}, 0
  while known < #ids and (known == 0 or bytes_read < MOST_BYTES) do
    local some = call('HMGET', JOBS, unpack(ids, known + 1, math.min(known + step(), #ids)))
    for n = 1, #some do
      local text = some[n]
      if text then bytes_read = bytes_read + #text end
      if known > 0 then texts[known + n] = text end
    end
    if known == 0 then texts = some end
    known = known + #some
  end
  return texts
end

-- Parses some of the jobs, like \`read_some\`: the job, or false when it does not exist or cannot be read.
local function load(ids)
  local jobs, claims = read_some(ids), read(CLAIMS, ids)
  for n, text in ipairs(jobs) do jobs[n] = text and parse(text, claims[n]) or false end
  return jobs
end

local function scheduled_at(job) return job.created + job.due end

-- Redis orders equal scores by member, so a member begins with the number of submission.
local function member(id, job) return job.sequence .. id end

local function rank(job) return (100 - job.priority) * PRIORITY_STEP + scheduled_at(job) end

-- Whether the job of an entry in the list, or in a sorted set, waits there. Otherwise the entry is stale.
local IN_LINE, IN_SET = ${OF_RECORD.inLine}, ${OF_RECORD.inSet}
local function waits(entry, text, place) return text and match(text, place) == sub(entry, 1, 8) end

-- The first job in the list, after dropping a bounded number of stale entries at its front. Returns nil and true when the first
-- record cannot be read: a claim reports and drops it.
local function first_in_line(queue)
  for _ = 1, 1000 do
    local entry = call('LINDEX', queue_key(queue, LINE), 0)
    if not entry then return nil end
    local text = call('HGET', JOBS, sub(entry, 9))
    local job = waits(entry, text, IN_LINE) and parse(text)
    if job then return job end
    if text and not parse(text) then return nil, true end
    call('LPOP', queue_key(queue, LINE))
  end
end
`;
