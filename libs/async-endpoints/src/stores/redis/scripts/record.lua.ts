/**
 * What every script that reads jobs begins with: the keys, the time, and records taken apart and put together.
 *
 * KEYS   `shared` (jobs, claims, leases, completed, finished, counters, paused), then for each name `queue`
 *        (line, ready, scheduled, running, wake): see `keys.ts`
 *
 * `codec.ts` says what is in a record and in a claim. A job that has a claim is in progress, whatever its record says.
 */
export const RECORD = `
local JOBS, CLAIMS, LEASES, COMPLETED, FINISHED, COUNTERS, PAUSED = unpack(KEYS, 1, 7)
local LINE, READY, SCHEDULED, RUNNING, WAKE = 1, 2, 3, 4, 5
local SHARED, OF_QUEUE, CHUNK, PRIORITY_STEP = 7, 5, 2000, 35184372088832
local STABLE = '^1([QRSCFX])(%x%x%x%x%x%x%x%x)(%x)(%x%x%x%x%x%x)(%d+),(%d+),(%-?%d+),(%d+),(%d+)'
local CHANGING = '^;(%d+),(%d+),(%d*),(%d*),(%d*)[^\\n]*\\n()'
local FIXED = '^[^\\n]*\\n[^\\n]*\\n%d+\\n[%d,]*\\n[^\\n]*\\n'
local CLAIM = '^(%d+),(%d+),(%d+),(%d+),(%d*),([^\\n]*)\\n?(.*)$'
local CLAIM_END = '^%d+,%d+,%d+,(%d+),%d*,[^\\n]*'
local LONGEST_FIRST_LINE = 200
local byte, find, format, match, sub = string.byte, string.find, string.format, string.match, string.sub
local call = redis.call

local function number(value) return format('%.0f', value) end

-- The server's clock may be set back; the store's does not go back with it. Sweeps keep what is needed: see \`silence.lua.ts\`.
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

-- A script reads no more of records than that and one record, as no record is larger than the largest so far.
local MOST_BYTES, USUAL_BYTES = 4194304, 4096
largest = math.max(tonumber(largest or USUAL_BYTES) or USUAL_BYTES, USUAL_BYTES)
local bytes_read = 0

-- How many records may be read before one looks how large they were.
local function step() return math.min(CHUNK, math.max(1, math.floor((MOST_BYTES - bytes_read) / largest))) end

-- A full Redis refuses what may take memory, unless the script has written before. This is a write that changes nothing.
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

-- Nil where the record or the claim cannot be read.
local function parse(text, claim)
  local status, sequence, lines, length, created, due, priority, retries, crashes, at = match(text, STABLE .. '()')
  if not at then return nil end
  local fence, version, updated, started, completed, fixed_at = match(text, CHANGING, at)
  if not fixed_at or fixed_at > LONGEST_FIRST_LINE then return nil end
  local fixed_end = fixed_at + tonumber(length, 16)
  local fixed = sub(text, fixed_at, fixed_end - 1)
  local progress, failure, result, payload_at = match(text, '^([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n()', fixed_end)
  if not payload_at or byte(fixed, -1) ~= 10 or not find(fixed, FIXED) then return nil end
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

-- What a record says of a job that is not in progress. Only new jobs stand in a line.
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

-- An id can come back under another name after its job was purged: then the caller speaks of a job that is gone.
local function is_of(fixed, queue)
  if queue == 0 then return false end
  local name = name_of(queue)
  return find(fixed, name, 1, true) == 1 and byte(fixed, #name + 1) == 10
end

local function has_fence(claim, fence) return find(claim, fence, 1, true) == 1 and byte(claim, #fence + 1) == 44 end

-- The number after one, both as text: most are small, and making text of numbers is slow.
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

-- Of each queue up to this one: when and by whom it was paused, or false.
local function paused_up_to(last)
  local names = {}
  for queue = 1, last do names[queue] = name_of(queue) end
  return read(PAUSED, names)
end

-- As many of the records as may be read, from the first; at least one.
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

-- Of some of the ids, as \`read_some\`: job, or false where it is gone or cannot be read.
local function load(ids)
  local jobs, claims = read_some(ids), read(CLAIMS, ids)
  for n, text in ipairs(jobs) do jobs[n] = text and parse(text, claims[n]) or false end
  return jobs
end

local function scheduled_at(job) return job.created + job.due end

-- Equal scores stand in the order of their members, so the number of submission comes first in them.
local function member(id, job) return job.sequence .. id end

local function rank(job) return (100 - job.priority) * PRIORITY_STEP + scheduled_at(job) end

-- Whether the job of an entry in the line, or in a sorted set, waits there: otherwise the entry is worth nothing any more.
local IN_LINE, IN_SET = '^1Q(........)', '^1[RS](........)'
local function waits(entry, text, place) return text and match(text, place) == sub(entry, 1, 8) end

-- The first job in the line, after dropping what is worth nothing in front of it, within reason. Or nil and true, where the
-- first one cannot be read: that is left to a claim, which tells of it.
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
