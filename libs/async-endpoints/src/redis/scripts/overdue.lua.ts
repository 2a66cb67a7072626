import { defineScript } from '../define-script.js';

/**
 * What a sweep needs to know, and one thing it mends: where work waits, a worker is told so anew. The one that was told
 * before may have stopped or died with the token in its hands.
 *
 * KEYS     leases; names; then for each name known so far: ready, wake
 * time     the clock in ms, or '' for Redis's own
 * limit    the most ids
 * returns  ids of the jobs whose lease has run out; every name
 */
export const overdueScript = defineScript<[ids: string[], names: string[]]>({
  name: 'overdue',
  args: ['time', 'limit'],
  lua: `
local call = redis.call
if time == '' then
  local clock = call('TIME')
  time = string.format('%.0f', clock[1] * 1000 + math.floor(clock[2] / 1000))
end
for n = 3, #KEYS, 2 do
  if call('EXISTS', KEYS[n]) == 1 then call('ZADD', KEYS[n + 1], 0, '0') end
end
return { call('ZRANGEBYSCORE', KEYS[1], '-inf', time, 'LIMIT', 0, limit), call('SMEMBERS', KEYS[2]) }`,
});
