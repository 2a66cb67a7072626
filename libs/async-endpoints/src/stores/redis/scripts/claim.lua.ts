import { defineScript } from './define-script.js';
import { OF_RECORD } from './layout.lua.js';
import { ORDER } from './order.lua.js';
import { TRANSITION } from './transition.lua.js';

/**
 * Claims jobs, after moving scheduled jobs whose `scheduledAt` has come. Skips paused names. Names take turns, in the given
 * order. Both steps stop when they have read enough bytes, so there may be more jobs even when it returns fewer claims than
 * requested.
 *
 * KEYS     as in `record.lua.ts`
 * time, announce, channels as in `transition.lua.ts`
 * leaseMs  the length of the leases
 * limit    the most claims of all names
 * agingMs  as in `order.lua.ts`
 * worker   the id of the worker, as JSON
 * …        for each name: the most claims of it
 * returns  the time; the number of dropped entries that should have had a job; then for each claim the id and the record before
 *          the claim. A record that cannot be read is '?': its entry was dropped, and it is not a claim
 *
 * A claim does not change the record; its data is in `claims`. An entry whose job does not exist, or does not wait in this queue,
 * is dropped.
 */
export const claimScript = defineScript<[now: string, dropped: number, ...claims: string[]]>({
  name: 'claim',
  args: ['time', 'announce', 'channels', 'leaseMs', 'limit', 'agingMs', 'worker'],
  lua: `${TRANSITION}${ORDER}
local DUE_AT_ONCE, MOST_LOOKED_AT = 1000, 20000
local names = #ARGV - FIRST + 1
local left = tonumber(limit)
local replies, replied, claimed, leased_now, dropped = { NOW, 0 }, 2, 0, {}, 0
leased[number(now + leaseMs)] = leased_now
local lease_until = number(now + leaseMs)
-- The rest of a claim is the same for all jobs.
local CLAIMED = ',' .. NOW .. ',' .. lease_until .. ',' .. NOW .. ',' .. worker

local function promote(queue)
  local due = call('ZRANGEBYSCORE', queue_key(queue, SCHEDULED), '-inf', NOW, 'LIMIT', 0, DUE_AT_ONCE)
  if #due == 0 then return end
  local ids, ranked = {}, {}
  for n, entry in ipairs(due) do ids[n] = sub(entry, 9) end
  local jobs = load(ids)
  for n = #due, #jobs + 1, -1 do due[n] = nil end
  for n, job in ipairs(jobs) do
    if job then put(ranked, number(rank(job)), due[n]) else dropped = dropped + 1 end
  end
  in_chunks('ZREM', queue_key(queue, SCHEDULED), due)
  in_chunks('ZADD', queue_key(queue, READY), ranked)
end

-- Nearly all new jobs have a first line of this length. The others are parsed.
local NEW_FIRST_LINE = '1Q000000015000000' .. NOW .. ',0,0,0,0;0,1,,,\\n'

-- Lists a job with an owner or an error, or from a sorted set, as a job in progress.
local function relist(id, text, place)
  local job = parse(text)
  if not job then return end
  unlist(id, job, place == IN_SET)
  job.status, job.started = 'P', NOW
  list(id, job)
end

local function take(queue, wanted)
  local taken, scheduled, looked = 0, 0, 0
  local taken_bytes, scheduled_bytes = 0, 0
  local started, watched = {}, is_watched
  local owner_at = #NEW_FIRST_LINE + #name_of(queue) + 2
  while taken < wanted and looked < MOST_LOOKED_AT and bytes_read < MOST_BYTES do
    local entries, place = pop(queue, math.min(wanted - taken, step()))
    if #entries == 0 then break end
    looked = looked + #entries
    local ids = {}
    for n, entry in ipairs(entries) do ids[n] = sub(entry, 9) end
    local texts = read(JOBS, ids)
    local pattern = place .. ${OF_RECORD.fenceAfterPlace}
    for n = 1, #entries do
      local id, text = ids[n], texts[n]
      local number_in_line, fence, version
      if text then
        bytes_read = bytes_read + #text
        number_in_line, fence, version = match(text, pattern)
      end
      if fence and number_in_line == sub(entries[n], 1, 8) then
        version = next_of[version]
        local at = 2 * taken
        taken, taken_bytes, claimed = taken + 1, taken_bytes + #text, claimed + 1
        claims[2 * claimed - 1], claims[2 * claimed] = id, next_of[fence] .. ',' .. version .. CLAIMED
        replies[replied + 1], replies[replied + 2] = id, text
        replied = replied + 2
        started[at + 1], started[at + 2] = NOW, id
        leased_now[claimed] = id
        if byte(text, 2) == 83 then scheduled, scheduled_bytes = scheduled + 1, scheduled_bytes + #text end -- S
        -- A new job in the line has an entry only if it has an owner.
        local before, first = byte(text, owner_at - 1, owner_at)
        if place == IN_SET or before ~= 10 or first ~= 10 then relist(id, text, place) end
        if watched then announce_change(id, 'P', version) end
      elseif text and not parse(text) then
        replies[replied + 1], replies[replied + 2] = id, '?'
        replied = replied + 2
      elseif place == IN_SET then
        dropped = dropped + 1
      end
    end
  end
  in_chunks('ZADD', queue_key(queue, RUNNING), started)
  local name = name_of(queue)
  count('S:' .. name, -scheduled)
  count('Q:' .. name, scheduled - taken)
  count('P:' .. name, taken)
  count('waiting', -taken)
  count('bytes:S:' .. name, -scheduled_bytes)
  count('bytes:Q:' .. name, scheduled_bytes - taken_bytes)
  count('waitingBytes', -taken_bytes)
  return taken
end

local slots, paused = {}, paused_up_to(names)
for queue = 1, names do
  slots[queue] = paused[queue] and 0 or tonumber(ARGV[FIRST + queue - 1])
  if not paused[queue] then promote(queue) end
end
bytes_read = 0
for queue = 1, names do
  local turn = math.min(slots[queue], math.ceil(left / (names - queue + 1)))
  local taken = take(queue, turn)
  slots[queue] = taken < turn and 0 or slots[queue] - taken
  left = left - taken
end
for queue = 1, names do
  if left > 0 and slots[queue] > 0 then left = left - take(queue, math.min(slots[queue], left)) end
end
if left == tonumber(limit) then go_on_when_full() end
for queue = 1, names do
  if not paused[queue] and call('EXISTS', queue_key(queue, LINE), queue_key(queue, READY)) > 0 then wake(queue) end
end
save()
replies[2] = dropped
return replies`,
});
