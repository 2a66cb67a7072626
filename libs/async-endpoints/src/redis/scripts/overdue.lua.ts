import { defineScript } from '../define-script.js';
import { LAPSE } from './lapse.lua.js';
import { RECORD } from './record.lua.js';

/**
 * What a sweep needs to know, and two things it mends: entries of `leases` that nobody needs any more are dropped, and
 * where work waits, a worker is told so anew. The one that was told before may have stopped or died with the token.
 *
 * KEYS     as in `record.lua.ts`, with the names known so far; then `names`
 * time     the clock in ms, or '' for Redis's own
 * limit    the most jobs to name
 * returns  ids of jobs whose lease has run out; every name; how many entries were dropped; 1 where there may be more such
 *          jobs, else 0
 */
export const overdueScript = defineScript<[ids: string[], names: string[], dropped: number, more: number]>({
  name: 'overdue',
  args: ['time', 'limit'],
  lua: `${RECORD}${LAPSE}
local found, dropped, more = lapse(tonumber(limit))
for queue = 1, (#KEYS - SHARED - 1) / OF_QUEUE do
  if call('EXISTS', queue_key(queue, LINE), queue_key(queue, READY)) > 0 then call('ZADD', queue_key(queue, WAKE), 0, '0') end
end
return { found, call('SMEMBERS', KEYS[#KEYS]), dropped, more and 1 or 0 }`,
});
