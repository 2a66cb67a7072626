import { defineScript } from './define-script.js';

/**
 * Adds a reported action of a tool. Deletes the oldest when there are too many.
 *
 * KEYS     actions, counters
 * most     the most actions to keep
 * entry    the action, as JSON
 * returns  the number of stored actions
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
