import { defineScript } from './define-script.js';
import { TRANSITION } from './transition.lua.js';

/**
 * Extends leases and writes progress, if any, when the fence is that of the current claim.
 *
 * KEYS     as in `record.lua.ts`, no names
 * time, announce, channels as in `transition.lua.ts`
 * …        for each renewal: id, fence, leaseMs, progress as JSON or ''
 * returns  for each: 'held', 'canceled' or 'lost'
 */
export const renewScript = defineScript<string[]>({
  name: 'renew',
  args: ['time', 'announce', 'channels'],
  lua: `${TRANSITION}
local replies, ids = {}, {}
for at = FIRST, #ARGV, 4 do ids[#ids + 1] = ARGV[at] end
local held, latest = read(CLAIMS, ids), {}

local function renew(id, claim, lease_ms, progress)
  local job = {}
  job.fence, job.version, job.started, job.lease, job.updated, job.worker, job.progress = match(claim, CLAIM)
  if not job.fence then return nil end
  job.status, job.lease = 'P', number(now + lease_ms)
  if progress ~= '' then
    job.progress = progress
    touch(id, job)
  end
  lease(id, job.lease)
  put(claims, id, claim_of(job))
  return claims[#claims]
end

for n, id in ipairs(ids) do
  local at = FIRST + (n - 1) * 4
  local claim = latest[id] or held[n]
  local renewed = claim and match(claim, '^%d+') == ARGV[at + 1] and renew(id, claim, ARGV[at + 2], ARGV[at + 3])
  if renewed then
    replies[n] = 'held'
    latest[id] = renewed
  else
    local text = not claim and call('HGET', JOBS, id)
    replies[n] = text and sub(text, 2, 2) == 'X' and 'canceled' or 'lost'
  end
end
go_on_when_full()
save()
return replies`,
});
