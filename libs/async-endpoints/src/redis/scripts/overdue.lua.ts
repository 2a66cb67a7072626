import { defineScript } from '../define-script.js';
import { LAPSE } from './lapse.lua.js';
import { RECORD } from './record.lua.js';

/**
 * What a sweep needs to know, and three things it mends: entries of `leases` that nobody needs any more are dropped; claims
 * that have run out and whose job is gone are forgotten, or every sweep would meet them again; and where work waits, a
 * worker is told so anew. The one that was told before may have stopped or died with the token.
 *
 * KEYS     as in `record.lua.ts`, with the names known so far; then `names`
 * time     the clock in ms, or '' for Redis's own
 * limit    the most jobs to name
 * returns  ids of jobs whose lease has run out; every name; how many entries were dropped; how many claims were forgotten;
 *          1 where there may be more such jobs, else 0
 */
export const overdueScript = defineScript<
  [ids: string[], names: string[], dropped: number, forgotten: number, more: number]
>({
  name: 'overdue',
  args: ['time', 'limit'],
  lua: `${RECORD}${LAPSE}
local QUEUES = (#KEYS - SHARED - 1) / OF_QUEUE
local found, dropped, more = lapse(tonumber(limit))
local overdue, forgotten = {}, 0

-- The record would say of which name it was.
local function forget(id)
  call('HDEL', CLAIMS, id)
  for queue = 1, QUEUES do
    if call('ZREM', queue_key(queue, RUNNING), id) == 1 then
      local counter = 'P:' .. name_of(queue)
      if call('HINCRBY', COUNTERS, counter, -1) == 0 then call('HDEL', COUNTERS, counter) end
    end
  end
  forgotten = forgotten + 1
end

for _, id in ipairs(found) do
  if QUEUES > 0 and call('HEXISTS', JOBS, id) == 0 then forget(id) else overdue[#overdue + 1] = id end
end
for queue = 1, QUEUES do
  if call('EXISTS', queue_key(queue, LINE), queue_key(queue, READY)) > 0 then call('ZADD', queue_key(queue, WAKE), 0, '0') end
end
return { overdue, call('SMEMBERS', KEYS[#KEYS]), dropped, forgotten, more and 1 or 0 }`,
});
