import { defineScript } from '../define-script.js';
import { LAPSE } from './lapse.lua.js';
import { TRANSITION } from './transition.lua.js';

/**
 * Removes finished jobs whose retention is over, and entries of `leases` that nobody needs any more.
 *
 * KEYS     as in `record.lua.ts`, no names
 * time, announce, channels as in `transition.lua.ts`
 * limit    the most jobs to remove
 * returns  how many jobs were removed; 1 where there may be more entries to drop, else 0
 */
export const purgeScript = defineScript<[purged: number, more: number]>({
  name: 'purge',
  args: ['time', 'announce', 'channels', 'limit'],
  lua: `${TRANSITION}${LAPSE}
local gone = call('ZRANGEBYSCORE', FINISHED, '-inf', NOW, 'LIMIT', 0, limit)
in_chunks('ZREM', FINISHED, gone)
local jobs = load(gone)

local left = limit - #gone
local first = left > 0 and call('LRANGE', COMPLETED, 0, left - 1) or {}
for n, entry in ipairs(first) do first[n] = sub(entry, 9) end
local over = 0
for n, job in ipairs(load(first)) do
  if job and purgeable_at(job) > now then break end
  over = n
  gone[#gone + 1] = first[n]
  jobs[#gone] = job
end
if over > 0 then call('LPOP', COMPLETED, over) end

for n = 1, #gone do
  local job = jobs[n]
  if job then count(job.status .. ':' .. match(job.fixed, '^[^\\n]*'), -1) end
end
in_chunks('HDEL', JOBS, gone)
save()
local _, dropped, more = lapse(0)
return { #gone, dropped > 0 and more and 1 or 0 }`,
});
