import { defineScript } from '../define-script.js';
import { TRANSITION } from './transition.lua.js';

/**
 * Inserts jobs, each unless its key or id is known or a limit is reached.
 *
 * KEYS     as in `record.lua.ts`; then `names`; then the idempotency key of each job that has one
 * time, announce, channels as in `transition.lua.ts`
 * limit    the most jobs of all names that may wait
 * queues   how many names there are
 * jobs     how many jobs there are
 * …        jobs in groups of what is alike: `count,queue,delayMs,priority,queueLimit,key,keyMs` (queue and key from 1; the
 *          last three may be empty) and, after a line break, the fixed lines of their records; then for each its id and input
 * returns  the time; then, but for jobs that were created, their place in the batch, from 1, and 'refused total',
 *          'refused name', 'conflict id', 'conflict key', or the known job: its id, record and claim or ''
 *
 * A key and the job it stands for are written in the same step.
 */
export const submitScript = defineScript<(string | number | [string, string, string])[]>({
  name: 'submit',
  args: ['time', 'announce', 'channels', 'limit', 'queues', 'jobs'],
  lua: `${TRANSITION}
local HEAD = '^(%d+),(%d+),(%d+),(%-?%d+),(%d*),(%d*),(%d*)\\n(.*)$'
local IDENTITY = '^([^\\n]*\\n[^\\n]*)\\n[^\\n]*\\n[^\\n]*\\n([^\\n]*)'
local NAMES = KEYS[SHARED + queues * OF_QUEUE + 1]
local FIRST_KEY = SHARED + queues * OF_QUEUE + 1
local number_of = numbers('seq', jobs)
local waiting = tonumber(call('HGET', COUNTERS, 'waiting') or '0')
local new, created, lines, replies = {}, {}, {}, { NOW }
limit = tonumber(limit)

local ids, at = {}, FIRST
while at <= #ARGV do
  local count_here = tonumber(match(ARGV[at], '^%d+'))
  for n = 1, count_here do ids[#ids + 1] = ARGV[at + 2 * n - 1] end
  at = at + 1 + 2 * count_here
end
local stored = read(JOBS, ids)

-- Counters are written at the end, so what this batch has created is not in them yet.
local function depth(queue)
  local name = name_of(queue)
  local counted = call('HMGET', COUNTERS, 'Q:' .. name, 'S:' .. name)
  return (counted[1] or 0) + (counted[2] or 0) + (created[queue] or 0)
end

-- The text says until when; that Redis forgets it some time later only saves memory.
local function keep_key(key_name, id, key_ms)
  call('SET', key_name, id .. ' ' .. number(now + key_ms), 'PX', number(key_ms + 60000))
end

local function known_by(key_name)
  local id, until_ms = match(call('GET', key_name) or '', '^(%S+) (%d+)$')
  local text = id and tonumber(until_ms) > now and (new[id] or call('HGET', JOBS, id))
  if text then return id, text end
end

local function compare(id, text, fixed, conflict)
  local whose, print = match(fixed, IDENTITY)
  local known_whose, known_print = match(parse(text).fixed, IDENTITY)
  if print == '' or print ~= known_print or whose ~= known_whose then return conflict end
  return { id, text, call('HGET', CLAIMS, id) or '' }
end

local function enter_new(id, text, group, entry)
  new[id] = text
  put(writes, id, text)
  if group.delay > 0 then
    add(queue_key(group.queue, PLANNED), number(now + group.delay), entry .. id)
  elseif group.priority == '0' then
    local line = lines[group.queue]
    if not line then line = {}; lines[group.queue] = line end
    line[#line + 1] = entry .. id
  else
    add(queue_key(group.queue, READY), number((100 - group.priority) * PRIORITY_STEP + now), entry .. id)
  end
  if group.key then keep_key(group.key, id, group.key_ms) end
  waiting = waiting + 1
  group.created = group.created + 1
  created[group.queue] = (created[group.queue] or 0) + 1
end

local function submit(n, id, input, group)
  if group.key then
    local known_id, known = known_by(group.key)
    if known then return compare(known_id, known, group.fixed, 'conflict key') end
  end
  local known = new[id] or stored[n]
  if known then return compare(id, known, group.fixed, 'conflict id') end
  if waiting >= limit then return 'refused total' end
  if group.queue_limit and depth(group.queue) >= group.queue_limit then return 'refused name' end
  local entry = number_of(n)
  enter_new(id, '1' .. group.status .. entry .. group.lines .. input, group, entry)
end

local function group_of(head)
  local count_here, queue, delay, priority, queue_limit, key, key_ms, fixed = match(head, HEAD)
  local status = tonumber(delay) > 0 and 'S' or priority == '0' and 'Q' or 'R'
  return tonumber(count_here), { queue = tonumber(queue), delay = tonumber(delay), priority = priority, fixed = fixed,
    queue_limit = tonumber(queue_limit), key = key ~= '' and KEYS[FIRST_KEY + key], key_ms = key_ms, status = status, created = 0,
    lines = '5' .. format('%06x', #fixed) .. NOW .. ',' .. delay .. ',' .. priority .. ',0,0;0,1,,,\\n' .. fixed .. '\\n\\n\\n' }
end

local n = 0
at = FIRST
while at <= #ARGV do
  local count_here, group = group_of(ARGV[at])
  for place = at + 1, at + 2 * count_here, 2 do
    n = n + 1
    local reply = submit(n, ARGV[place], ARGV[place + 1], group)
    if reply then put(replies, n, reply) end
  end
  at = at + 1 + 2 * count_here
  count((group.delay > 0 and 'S:' or 'Q:') .. name_of(group.queue), group.created)
end
for queue, line in pairs(lines) do in_chunks('RPUSH', queue_key(queue, LINE), line) end
for queue, by in pairs(created) do
  call('SADD', NAMES, name_of(queue))
  count('waiting', by)
  wake(queue)
end
save()
return replies`,
});
