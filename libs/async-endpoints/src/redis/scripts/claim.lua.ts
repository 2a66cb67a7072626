import { defineScript } from '../define-script.js';
import { TRANSITION } from './transition.lua.js';

/**
 * Takes jobs that are ready, after moving those that have come due; names take turns, in the order given.
 *
 * KEYS     as in `transition.lua.ts`
 * time     the clock in ms, or '' for Redis's own
 * announce 1 to publish changes unasked, '' to see first whether somebody listens here
 * leaseMs  how long the claims are believed
 * limit    the most claims
 * worker   who claims, as JSON
 * …        for each name: the most claims of it
 * returns  id and record of each claim, one after the other
 *
 * An entry whose job is gone, or is not waiting, is dropped from the queue: nobody meets it again.
 */
export const claimScript = defineScript<string[]>({
  name: 'claim',
  args: ['time', 'announce', 'leaseMs', 'limit', 'worker'],
  lua: `${TRANSITION}
local DUE_AT_ONCE = 1000
local names = #ARGV - FIRST + 1
local left = tonumber(limit)
local replies = {}
local lease_until = number(now + leaseMs)
-- The rest of the first line is the same for all.
local CLAIMED = ',' .. NOW .. ',' .. NOW .. ',' .. lease_until .. ',' .. worker .. '\\n'

local function promote(queue)
  local due = call('ZRANGEBYSCORE', queue_key(queue, PLANNED), '-inf', NOW, 'LIMIT', 0, DUE_AT_ONCE)
  if #due == 0 then return end
  local ids, ranked = {}, {}
  for n, entry in ipairs(due) do ids[n] = sub(entry, 9) end
  for n, job in ipairs(load(ids)) do
    if job then ranked[#ranked + 1] = rank(job); ranked[#ranked + 1] = due[n] end
  end
  in_chunks('ZREM', queue_key(queue, PLANNED), due)
  if #ranked > 0 then in_chunks('ZADD', queue_key(queue, READY), ranked) end
end

local function take(queue, wanted)
  local taken = 0
  while taken < wanted do
    local popped = call('ZPOPMIN', queue_key(queue, READY), math.min(wanted - taken, CHUNK))
    if #popped == 0 then return taken end
    local ids = {}
    for n = 1, #popped, 2 do ids[#ids + 1] = sub(popped[n], 9) end
    for n, text in ipairs(load_texts(ids)) do
      local status, fence, version, rest
      if text then status, fence, version, rest = match(text, '^%d(%a)(%d+),(%d+)[^\\n]*\\n()') end
      if status == 'Q' or status == 'S' then
        local id = ids[n]
        local claimed = '1P' .. (fence + 1) .. ',' .. (version + 1) .. CLAIMED .. sub(text, rest)
        add(LEASES, lease_until, id)
        add(queue_key(queue, RUNNING), NOW, id)
        write_text(id, claimed)
        count(status .. ':' .. name_of(queue), -1)
        if is_watched then announce_change(id, 'P', version + 1) end
        replies[#replies + 1] = id
        replies[#replies + 1] = claimed
        taken = taken + 1
      end
    end
  end
  return taken
end

local function claim(queue, wanted)
  local taken = take(queue, wanted)
  count('P:' .. name_of(queue), taken)
  count('waiting', -taken)
  return taken
end

local slots = {}
for queue = 1, names do
  slots[queue] = tonumber(ARGV[FIRST + queue - 1])
  promote(queue)
end
for queue = 1, names do
  local turn = math.ceil(left / (names - queue + 1))
  local taken = claim(queue, math.min(slots[queue], turn))
  slots[queue] = slots[queue] - taken
  left = left - taken
end
for queue = 1, names do
  if left > 0 then left = left - claim(queue, math.min(slots[queue], left)) end
end
for queue = 1, names do
  if call('EXISTS', queue_key(queue, READY)) == 1 then woken[queue_key(queue, WAKE)] = true end
end
save()
return replies`,
});
