import { defineScript } from '../define-script.js';
import { RECORD } from './record.lua.js';

/**
 * What a sweep needs to know, and two things it mends: entries of `leases` that nobody needs any more are dropped, and
 * where work waits, a worker is told so anew. The one that was told before may have stopped or died with the token.
 *
 * KEYS     as in `record.lua.ts`, with the names known so far; then `names`
 * time     the clock in ms, or '' for Redis's own
 * limit    the most jobs to name
 * returns  ids of jobs whose lease has run out; every name; 1 where there may be more such jobs, else 0
 */
export const overdueScript = defineScript<[ids: string[], names: string[], more: number]>({
  name: 'overdue',
  args: ['time', 'limit'],
  lua: `${RECORD}
local ENTRIES = 100
local found, over = {}, {}
local entries = call('ZRANGEBYSCORE', LEASES, '-inf', NOW, 'LIMIT', 0, ENTRIES)

local function is_out(claim)
  local _, _, _, lease_until = match(claim or '', CLAIM)
  return lease_until and tonumber(lease_until) <= now
end

local function look(entry)
  local ids, is_over = {}, true
  for id in string.gmatch(entry, '%S+') do ids[#ids + 1] = id end
  for n, claim in ipairs(read(CLAIMS, ids)) do
    if is_out(claim) then
      is_over = false
      found[#found + 1] = #found < tonumber(limit) and ids[n] or nil
    end
  end
  if is_over then over[#over + 1] = entry end
end

for _, entry in ipairs(entries) do look(entry) end
if #over > 0 then call('ZREM', LEASES, unpack(over)) end
for queue = 1, (#KEYS - SHARED - 1) / OF_QUEUE do
  if call('EXISTS', queue_key(queue, LINE), queue_key(queue, READY)) > 0 then call('ZADD', queue_key(queue, WAKE), 0, '0') end
end
return { found, call('SMEMBERS', KEYS[#KEYS]), #over == ENTRIES and 1 or 0 }`,
});
