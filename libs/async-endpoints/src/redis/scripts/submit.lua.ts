import { defineScript } from '../define-script.js';
import { TRANSITION } from './transition.lua.js';

/**
 * Inserts jobs, each unless its key or id is known or a limit is reached.
 *
 * KEYS     as in `transition.lua.ts`; then `names`; then the idempotency key of each job that has one
 * time     the clock in ms, or '' for Redis's own
 * announce 1 to publish changes unasked, '' to see first whether somebody listens here
 * limit    the most jobs of all names that may wait
 * queues   how many names there are
 * …        for each job: `queue,delayMs,priority,queueLimit,key,keyMs` (queue and key from 1; the last three may be empty),
 *          its id, and the lines of its record from the third on (few arguments: each costs both sides)
 * returns  the time, then for each job: 'created', 'refused total', 'refused name',
 *          'conflict id', 'conflict key', or the id and record of the known job, on two lines and more
 *
 * A key and the job it stands for are written in the same step.
 */
export const submitScript = defineScript<string[]>({
  name: 'submit',
  args: ['time', 'announce', 'limit', 'queues'],
  lua: `${TRANSITION}
local STRIDE = 3
local HEAD = '^(%d+),(%d+),(%-?%d+),(%d*),(%d*),(%d*)$'
local IDENTITY = '^([^\\n]*\\n[^\\n]*)\\n[^\\n]*\\n[^\\n]*\\n([^\\n]*)'
local NAMES = KEYS[SHARED + queues * 4 + 1]
local first_key = SHARED + queues * 4 + 1
local jobs_given = (#ARGV - FIRST + 1) / STRIDE
local sequence = call('HINCRBY', COUNTERS, 'seq', jobs_given) - jobs_given
local waiting = tonumber(call('HGET', COUNTERS, 'waiting') or '0')
local new, created, seen = {}, {}, {}
local replies = { NOW }

local ids = {}
for n = 1, jobs_given do ids[n] = ARGV[FIRST + (n - 1) * STRIDE + 1] end
local stored = load_texts(ids)

-- Indexes are written at the end, so what this batch has created is not in them yet.
local function depth(queue)
  local indexed = call('ZCARD', queue_key(queue, READY)) + call('ZCARD', queue_key(queue, PLANNED))
  return indexed + (created[queue] or 0)
end

for n = 1, jobs_given do
  local at = FIRST + (n - 1) * STRIDE
  local id, lines = ids[n], ARGV[at + 2]
  local queue, delay, priority, queue_limit, key, key_ms = match(ARGV[at], HEAD)
  queue = tonumber(queue)
  local key_name = key ~= '' and KEYS[first_key + key]
  local kept = key_name and call('GET', key_name)
  local known_id, until_ms = match(kept or '', '^(%S+) (%d+)$')
  if known_id and tonumber(until_ms) <= now then known_id = nil end
  local known = known_id and (new[known_id] or call('HGET', JOBS, known_id))
  local keyed = known and true
  if not known then known_id = id; known = new[id] or stored[n] end
  local reply
  if known then
    local whose, print = match(lines, IDENTITY)
    local known_whose, known_print = match(parse(known).fixed, IDENTITY)
    local same = print ~= '' and known_print == print and known_whose == whose
    reply = same and (known_id .. '\\n' .. known) or (keyed and 'conflict key' or 'conflict id')
  elseif waiting >= tonumber(limit) then
    reply = 'refused total'
  elseif queue_limit ~= '' and depth(queue) >= tonumber(queue_limit) then
    reply = 'refused name'
  else
    local delayed = tonumber(delay) > 0
    local entry = format('%08x', (sequence + n) % 4294967296)
    new[id] = (delayed and '1S' or '1Q') .. '0,1,,,,\\n' ..
      entry .. ',' .. priority .. ',' .. NOW .. ',' .. delay .. ',0,0\\n' ..
      lines
    write_text(id, new[id])
    if delayed then
      add(queue_key(queue, PLANNED), number(now + delay), entry .. id)
    else
      add(queue_key(queue, READY), number((100 - priority) * PRIORITY_STEP + now), entry .. id)
    end
    count((delayed and 'S:' or 'Q:') .. name_of(queue), 1)
    count('waiting', 1)
    woken[queue_key(queue, WAKE)] = true
    waiting = waiting + 1
    created[queue] = (created[queue] or 0) + 1
    if not seen[queue] then seen[queue] = true; call('SADD', NAMES, name_of(queue)) end
    if key_name then call('SET', key_name, id .. ' ' .. number(now + key_ms), 'PX', key_ms) end
    reply = 'created'
  end
  replies[#replies + 1] = reply
end
save()
return replies`,
});
