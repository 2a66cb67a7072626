import { defineScript } from './define-script.js';
import { OF_FIXED } from './layout.lua.js';
import { TRANSITION } from './transition.lua.js';

/**
 * Inserts the jobs, and leaves the reply of `submitScript` in `replies`. Include it after `TRANSITION`, with the arguments of
 * `submitScript`.
 */
export const SUBMIT = `
local HEAD = '^(%d+),(%d+),(%d+),(%-?%d+),(%d*),(%d*),(%d*),(%d*)\\n(.*)$'
local IDENTITY = ${OF_FIXED.identity}
local NONE = {}
local NAMES = KEYS[SHARED + queues * OF_QUEUE + 1]
local FIRST_KEY = SHARED + queues * OF_QUEUE + 1
local number_of = numbers('seq', jobs)
local counted = call('HMGET', COUNTERS, 'waiting', 'waitingBytes')
local waiting = tonumber(counted[1] or '0')
-- Limit it to the possible size: workers of a release without this counter do not subtract the jobs that they claim.
local waiting_bytes = math.min(tonumber(counted[2] or '0'), waiting * largest)
local new, created, created_bytes, lines, replies = {}, {}, {}, {}, { NOW, 0 }
local written = 0
limit, mostBytes = tonumber(limit), tonumber(mostBytes) or math.huge

local ids, at = {}, FIRST
while at <= #ARGV do
  local count_here = tonumber(match(ARGV[at], '^%d+'))
  for n = 1, count_here do ids[#ids + 1] = ARGV[at + 2 * n - 1] end
  at = at + 1 + 2 * count_here
end
local stored = read_some(ids)
local bytes_by_key = 0

-- Counters are written at the end, so they do not contain the jobs of this batch yet.
local function is_full(group)
  local queue, most, most_bytes = group.queue, group.queue_limit, group.queue_bytes
  local name = name_of(queue)
  local of = call('HMGET', COUNTERS, 'Q:' .. name, 'S:' .. name, 'bytes:Q:' .. name, 'bytes:S:' .. name)
  local jobs_of = (of[1] or 0) + (of[2] or 0)
  local bytes_of = math.min((of[3] or 0) + (of[4] or 0), jobs_of * largest)
  return most and jobs_of + (created[queue] or 0) + waiting - group.waiting >= most
    or most_bytes and bytes_of + (created_bytes[queue] or 0) + waiting_bytes - group.waiting_bytes >= most_bytes
end

-- The text contains the end of the retention. The expiry in Redis is later and only frees memory.
local function keep_key(key_name, id, key_ms)
  call('SET', key_name, id .. ' ' .. number(now + key_ms), 'PX', number(key_ms + 60000))
end

local function known_by(key_name)
  local id, until_ms = match(call('GET', key_name) or '', '^(%S+) (%d+)$')
  local text = id and tonumber(until_ms) > now and (new[id] or call('HGET', JOBS, id))
  if text then
    bytes_by_key = bytes_by_key + #text
    return id, text
  end
end

local function compare(id, text, fixed, conflict)
  local whose, print = match(fixed, IDENTITY)
  local known_job = parse(text)
  if not known_job then return conflict end
  local known_whose, known_print = match(known_job.fixed, IDENTITY)
  if print == '' or print ~= known_print or whose ~= known_whose then return conflict end
  return { id, sub(text, 1, #text - #known_job.payload), call('HGET', CLAIMS, id) or '' }
end

local function enter_sorted(group, entry)
  if group.delay > 0 then return add(queue_key(group.queue, SCHEDULED), number(now + group.delay), entry) end
  add(queue_key(group.queue, READY), number((100 - group.priority) * PRIORITY_STEP + now), entry)
end

-- Jobs without delay and priority are in the list of their queue.
local function line_of(queue)
  local line = lines[queue]
  if not line then line = {}; lines[queue] = line end
  return line
end

local function submit(n, id, payload, group)
  if group.key then
    local known_id, known = known_by(group.key)
    if known then return compare(known_id, known, group.fixed, 'conflict key') end
  end
  local known = new[id] or stored[n]
  if known then return compare(id, known, group.fixed, 'conflict id') end
  if waiting >= limit or waiting_bytes >= mostBytes then return 'refused total' end
  if group.is_limited and is_full(group) then return 'refused name' end
  local entry = number_of(n)
  local text = group.head .. entry .. group.lines .. payload
  new[id] = text
  writes[written + 1], writes[written + 2] = id, text
  written = written + 2
  waiting, waiting_bytes = waiting + 1, waiting_bytes + #text
  local line = group.line
  if line then line[#line + 1] = entry .. id else enter_sorted(group, entry .. id) end
  local listings = group.listings
  for nth = 1, #listings do add(LISTED, '0', listings[nth] .. entry .. id) end
  if group.key then keep_key(group.key, id, group.key_ms) end
end

-- The beginnings of the entries in \`listed\` of new jobs.
local function listings_of(fixed, status)
  local name, owner = match(fixed, OWNER)
  if status == 'Q' and owner == '' then return NONE end
  local listings, letter, place = {}, status == 'S' and 'S' or 'Q', place_of(now, '', '')
  if status ~= 'Q' then listings[1] = entry_of('n', name, letter, place) end
  if owner ~= '' then listings[#listings + 1] = entry_of('o' .. owner, name, letter, place) end
  return listings
end

local function group_of(head)
  local count_here, queue, delay, priority, queue_limit, queue_bytes, key, key_ms, fixed = match(head, HEAD)
  local status = tonumber(delay) > 0 and 'S' or priority == '0' and 'Q' or 'R'
  return tonumber(count_here), { queue = tonumber(queue), delay = tonumber(delay), priority = priority, fixed = fixed,
    queue_limit = tonumber(queue_limit), queue_bytes = tonumber(queue_bytes), is_limited = queue_limit .. queue_bytes ~= '',
    key = key ~= '' and KEYS[FIRST_KEY + key], key_ms = key_ms, line = status == 'Q' and line_of(tonumber(queue)),
    listings = listings_of(fixed, status), waiting = waiting, waiting_bytes = waiting_bytes, head = '1' .. status,
    lines = '5' .. format('%06x', #fixed) .. NOW .. ',' .. delay .. ',' .. priority .. ',0,0;0,1,,,\\n' .. fixed .. '\\n\\n\\n' }
end

local n = 0
local MOST_JOBS = #stored
at = FIRST
while at <= #ARGV and n < MOST_JOBS and bytes_by_key < MOST_BYTES do
  local count_here, group = group_of(ARGV[at])
  for place = at + 1, at + 2 * count_here, 2 do
    if n == MOST_JOBS or bytes_by_key >= MOST_BYTES then break end
    n = n + 1
    local reply = submit(n, ARGV[place], ARGV[place + 1], group)
    if reply then put(replies, n, reply) end
  end
  at = at + 1 + 2 * count_here
  local new_here, bytes_here = waiting - group.waiting, waiting_bytes - group.waiting_bytes
  created[group.queue] = (created[group.queue] or 0) + new_here
  created_bytes[group.queue] = (created_bytes[group.queue] or 0) + bytes_here
  local counter = (group.delay > 0 and 'S:' or 'Q:') .. name_of(group.queue)
  count(counter, new_here)
  count('bytes:' .. counter, bytes_here)
end
for queue, line in pairs(lines) do in_chunks('RPUSH', queue_key(queue, LINE), line) end
for queue, by in pairs(created) do
  call('SADD', NAMES, name_of(queue))
  count('waiting', by)
  count('waitingBytes', created_bytes[queue])
  wake(queue)
end
save()
replies[2] = n
`;

/**
 * Inserts jobs, each unless its key or id is known or a limit is reached.
 *
 * KEYS     as in `record.lua.ts`; then `names`; then the idempotency key of each job that has one
 * time, announce, channels as in `transition.lua.ts`
 * limit    the queue limit of all names
 * mostBytes the bytes of the waiting jobs of all names at which the queue is full; '' for no limit
 * queues   the number of names
 * jobs     the number of jobs
 * …        jobs in groups that are alike: `count,queue,delayMs,priority,queueLimit,queueBytes,key,keyMs` (queue and key from 1; the last
 *          four may be empty) and, after a line break, the fixed lines of their records; then for each its id and payload
 * returns  the time; the number of jobs, from the first, that were processed (fewer than all when the records of known jobs are large:
 *          submit the rest again); then for each job that was not created: its position in the batch, from 1, and 'refused total', 'refused
 *          name', 'conflict id', 'conflict key', or the known job: its id, its record without the payload, and its claim or ''
 *
 * A key and its job are written in the same step.
 */
export const submitScript = defineScript<
  [now: string, count: number, ...others: (string | number | [string, string, string])[]]
>({
  name: 'submit',
  args: ['time', 'announce', 'channels', 'limit', 'mostBytes', 'queues', 'jobs'],
  lua: `${TRANSITION}${SUBMIT}return replies`,
});
