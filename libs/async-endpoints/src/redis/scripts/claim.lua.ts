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
    for n, job in ipairs(load(ids)) do
      if job and (job.status == 'Q' or job.status == 'S') then
        count(job.status .. ':' .. name_of(queue), -1)
        job.status = 'P'
        job.times = NOW .. ',' .. lease_until .. ',' .. worker
        job.progress = ''
        job.fence = number(job.fence + 1)
        touch(ids[n], job)
        enter(ids[n], job, queue)
        write(ids[n], job)
        replies[#replies + 1] = ids[n]
        replies[#replies + 1] = writes[#writes]
        taken = taken + 1
        count('waiting', -1)
      end
    end
  end
  return taken
end

local slots = {}
for queue = 1, names do
  slots[queue] = tonumber(ARGV[FIRST + queue - 1])
  promote(queue)
end
for queue = 1, names do
  local turn = math.ceil(left / (names - queue + 1))
  local taken = take(queue, math.min(slots[queue], turn))
  slots[queue] = slots[queue] - taken
  left = left - taken
end
for queue = 1, names do
  if left > 0 then left = left - take(queue, math.min(slots[queue], left)) end
end
for queue = 1, names do
  if call('EXISTS', queue_key(queue, READY)) == 1 then woken[queue_key(queue, WAKE)] = true end
end
save()
return replies`,
});
