import { defineScript } from './define-script.js';

/**
 * Adds to what tools have reported, of which the oldest goes where there is too much.
 *
 * KEYS     actions, counters
 * most     how many are kept
 * entry    what is added
 * returns  how many are there
 */
export const reportScript = defineScript<number>({
  name: 'report',
  args: ['most', 'entry'],
  lua: `-- A full Redis refuses what may take memory, unless the script has written before. This is a write that changes nothing.
redis.call('HDEL', KEYS[2], '')
local length = redis.call('RPUSH', KEYS[1], entry)
if length > tonumber(most) then redis.call('LPOP', KEYS[1], length - most) end
return length`,
});
