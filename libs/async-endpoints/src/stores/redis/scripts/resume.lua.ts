import { defineScript } from './define-script.js';
import { RECORD } from './record.lua.js';

/**
 * Resumes names, and wakes a worker that waits for their jobs.
 *
 * KEYS     as in `record.lua.ts`
 * time     the clock in ms, or '' for the clock of Redis
 * returns  the number of names that were paused
 */
export const resumeScript = defineScript<number>({
  name: 'resume',
  args: ['time'],
  lua: `${RECORD}
local count = 0
for queue = 1, (#KEYS - SHARED) / OF_QUEUE do
  count = count + call('HDEL', PAUSED, name_of(queue))
  if call('EXISTS', queue_key(queue, LINE), queue_key(queue, READY), queue_key(queue, SCHEDULED)) > 0 then
    call('ZADD', queue_key(queue, WAKE), 0, '0')
  end
end
return count`,
});
