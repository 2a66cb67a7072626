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
 * …        for each job: queue (from 1), name, id, delayMs, queueLimit or '', key (from 1) or '', keyMs, owner, priority,
 *          maxRetries, retention, fingerprint, input
 * returns  the time, then for each job: 'created', 'refused total', 'refused name',
 *          'conflict id', 'conflict key', or the id and record of the known job, on two lines and more
 *
 * A key and the job it stands for are written in the same step.
 */
export const submitScript = defineScript<string[]>({
  name: 'submit',
  args: ['time', 'announce', 'limit', 'queues'],
  lua: `${TRANSITION}
local STRIDE = 13
local NAMES = KEYS[SHARED + queues * 4 + 1]
local first_key = SHARED + queues * 4 + 1
local jobs_given = (#ARGV - FIRST + 1) / STRIDE
local sequence = call('HINCRBY', COUNTERS, 'seq', jobs_given) - jobs_given
local waiting = tonumber(call('HGET', COUNTERS, 'waiting') or '0')
local new, created, seen = {}, {}, {}
local replies = { NOW }

local ids = {}
for n = 1, jobs_given do ids[n] = ARGV[FIRST + (n - 1) * STRIDE + 2] end
local stored = load_texts(ids)

-- Indexes are written at the end, so what this batch has created is not in them yet.
local function depth(queue)
  local indexed = call('ZCARD', queue_key(queue, READY)) + call('ZCARD', queue_key(queue, PLANNED))
  return indexed + (created[queue] or 0)
end

for n = 1, jobs_given do
  local at = FIRST + (n - 1) * STRIDE
  local queue, name, id, delay, queue_limit, key, key_ms, owner, priority, retries, retention, print, input =
    unpack(ARGV, at, at + STRIDE - 1)
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
    local its_name, its_owner, its_print = match(parse(known).fixed, '^([^\\n]*)\\n([^\\n]*)\\n[^\\n]*\\n[^\\n]*\\n([^\\n]*)')
    local same = print ~= '' and its_print == print and its_name == name and its_owner == owner
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
      name .. '\\n' .. owner .. '\\n' .. retries .. '\\n' .. retention .. '\\n' .. print .. '\\n\\n\\n\\n' .. input
    write_text(id, new[id])
    if delayed then
      add(queue_key(queue, PLANNED), number(now + delay), entry .. id)
    else
      add(queue_key(queue, READY), number((100 - priority) * PRIORITY_STEP + now), entry .. id)
    end
    count((delayed and 'S:' or 'Q:') .. name, 1)
    count('waiting', 1)
    woken[queue_key(queue, WAKE)] = true
    waiting = waiting + 1
    created[queue] = (created[queue] or 0) + 1
    if not seen[name] then seen[name] = true; call('SADD', NAMES, name) end
    if key_name then call('SET', key_name, id .. ' ' .. number(now + key_ms), 'PX', key_ms) end
    reply = 'created'
  end
  replies[#replies + 1] = reply
end
save()
return replies`,
});
