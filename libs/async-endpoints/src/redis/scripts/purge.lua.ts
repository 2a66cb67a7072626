import { defineScript } from '../define-script.js';
import { TRANSITION } from './transition.lua.js';

/**
 * Removes finished jobs whose retention is over.
 *
 * KEYS     as in `transition.lua.ts`, no names
 * time     the clock in ms, or '' for Redis's own
 * announce 1 to publish changes unasked, '' to see first whether somebody listens here
 * limit    the most jobs to remove
 * returns  how many were removed
 */
export const purgeScript = defineScript<number>({
  name: 'purge',
  args: ['time', 'announce', 'limit'],
  lua: `${TRANSITION}
local ids = call('ZRANGEBYSCORE', FINISHED, '-inf', NOW, 'LIMIT', 0, limit)
if #ids == 0 then return 0 end
for n, job in ipairs(load(ids)) do
  remove(FINISHED, ids[n])
  if job then count(job.status .. ':' .. match(job.fixed, '^[^\\n]*'), -1) end
end
in_chunks('HDEL', JOBS, ids)
save()
return #ids`,
});
