import { defineScript } from '../define-script.js';
import { TRANSITION } from './transition.lua.js';

/**
 * Extends leases, and writes progress where there is any, for those who still hold their claim.
 *
 * KEYS     as in `transition.lua.ts`, no names
 * time     the clock in ms, or '' for Redis's own
 * announce 1 to publish changes unasked, '' to see first whether somebody listens here
 * …        for each renewal: id, token, leaseMs, progress as JSON or ''
 * returns  for each: 'held', 'canceled' or 'lost'
 */
export const renewScript = defineScript<string[]>({
  name: 'renew',
  args: ['time', 'announce'],
  lua: `${TRANSITION}
local replies, ids = {}, {}
for at = FIRST, #ARGV, 4 do ids[#ids + 1] = ARGV[at] end
local jobs = load(ids)
local latest = {}
for n, id in ipairs(ids) do
  local at = FIRST + (n - 1) * 4
  local job = latest[id] or jobs[n]
  latest[id] = job
  if job and job.status == 'X' then
    replies[n] = 'canceled'
  elseif not job or job.status ~= 'P' or job.fence ~= ARGV[at + 1] then
    replies[n] = 'lost'
  else
    replies[n] = 'held'
    local lease_until = number(now + ARGV[at + 2])
    job.second = lease_until
    if ARGV[at + 3] ~= '' then
      job.progress = ARGV[at + 3]
      touch(id, job)
    end
    add(LEASES, lease_until, id)
    write(id, job)
  end
end
save()
return replies`,
});
