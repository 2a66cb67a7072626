import { defineScript } from '../define-script.js';
import { TRANSITION } from './transition.lua.js';

/**
 * Takes jobs that are ready, after moving those that have come due; names take turns, in the order given.
 *
 * KEYS     as in `record.lua.ts`
 * time, announce, channels as in `transition.lua.ts`
 * leaseMs  how long the claims are believed
 * limit    the most claims
 * worker   who claims, as JSON
 * …        for each name: the most claims of it
 * returns  the time; how many entries were dropped that should have had a job; then id and record of each claim, one after
 *          the other, as the record was before
 *
 * The record stays as it is: all that a claim changes is in the claim. An entry whose job is gone, or is not waiting for it,
 * is dropped from the queue: nobody meets it again.
 */
export const claimScript = defineScript<[now: string, dropped: number, ...claims: string[]]>({
  name: 'claim',
  args: ['time', 'announce', 'channels', 'leaseMs', 'limit', 'worker'],
  lua: `${TRANSITION}
local DUE_AT_ONCE, MOST_LOOKED_AT = 1000, 20000
local names = #ARGV - FIRST + 1
local left = tonumber(limit)
local replies, leased_now, dropped = { NOW, 0 }, {}, 0
leased[number(now + leaseMs)] = leased_now
local lease_until = number(now + leaseMs)
-- The rest of a claim is the same for all.
local CLAIMED = ',' .. NOW .. ',' .. lease_until .. ',' .. NOW .. ',' .. worker

local function promote(queue)
  local due = call('ZRANGEBYSCORE', queue_key(queue, PLANNED), '-inf', NOW, 'LIMIT', 0, DUE_AT_ONCE)
  if #due == 0 then return end
  local ids, ranked = {}, {}
  for n, entry in ipairs(due) do ids[n] = sub(entry, 9) end
  for n, job in ipairs(load(ids)) do
    if job then put(ranked, number(rank(job)), due[n]) else dropped = dropped + 1 end
  end
  in_chunks('ZREM', queue_key(queue, PLANNED), due)
  in_chunks('ZADD', queue_key(queue, READY), ranked)
end

-- How many entries of the line stand before one of the sorted set; what is worth nothing stands before everything.
local function before(queue, score, entry, most)
  local first = call('LRANGE', queue_key(queue, LINE), 0, most - 1)
  if tonumber(score) >= 101 * PRIORITY_STEP then return #first end
  local ids = {}
  for n, other in ipairs(first) do ids[n] = sub(other, 9) end
  for n, text in ipairs(read(JOBS, ids)) do
    if waits(first[n], text, IN_LINE) then
      local place = rank(parse(text))
      if place > tonumber(score) or place == tonumber(score) and first[n] > entry then return n - 1 end
    end
  end
  return #first
end

-- The entries of the sorted set that stand before the line's first: at least one.
local function pop_ready(queue, most)
  local text = first_in_line(queue)
  local bound = text and '(' .. number(rank(parse(text))) or '+inf'
  local entries = call('ZRANGEBYSCORE', queue_key(queue, READY), '-inf', bound, 'LIMIT', 0, most)
  if #entries == 0 then entries = call('ZRANGE', queue_key(queue, READY), 0, 0) end
  in_chunks('ZREM', queue_key(queue, READY), entries)
  return entries
end

local function pop(queue, most)
  local first = call('ZRANGE', queue_key(queue, READY), 0, 0, 'WITHSCORES')
  local ahead = #first == 0 and most or before(queue, first[2], first[1], most)
  if ahead == 0 then return pop_ready(queue, most), IN_SET end
  return call('LPOP', queue_key(queue, LINE), ahead) or {}, IN_LINE
end

local function take(queue, wanted)
  local taken, scheduled, looked = 0, 0, 0
  local started, watched = {}, is_watched
  while taken < wanted and looked < MOST_LOOKED_AT do
    local entries, place = pop(queue, math.min(wanted - taken, CHUNK))
    if #entries == 0 then break end
    looked = looked + #entries
    local ids = {}
    for n, entry in ipairs(entries) do ids[n] = sub(entry, 9) end
    local texts = read(JOBS, ids)
    for n = 1, #entries do
      local id, text = ids[n], texts[n]
      if waits(entries[n], text, place) then
        local fence, version = match(text, '^[^;]*;(%d+),(%d+)')
        version = next_of[version]
        local at = 2 * taken
        taken = taken + 1
        put(claims, id, next_of[fence] .. ',' .. version .. CLAIMED)
        put(replies, id, text)
        started[at + 1], started[at + 2] = NOW, id
        leased_now[#leased_now + 1] = id
        if byte(text, 2) == 83 then scheduled = scheduled + 1 end -- S
        if watched then announce_change(id, 'P', version) end
      elseif place == IN_SET then
        dropped = dropped + 1
      end
    end
  end
  in_chunks('ZADD', queue_key(queue, RUNNING), started)
  count('S:' .. name_of(queue), -scheduled)
  count('Q:' .. name_of(queue), scheduled - taken)
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
  local turn = math.min(slots[queue], math.ceil(left / (names - queue + 1)))
  local taken = take(queue, turn)
  slots[queue] = taken < turn and 0 or slots[queue] - taken
  left = left - taken
end
for queue = 1, names do
  if left > 0 and slots[queue] > 0 then left = left - take(queue, math.min(slots[queue], left)) end
end
for queue = 1, names do
  if call('EXISTS', queue_key(queue, LINE), queue_key(queue, READY)) > 0 then wake(queue) end
end
save()
replies[2] = dropped
return replies`,
});
