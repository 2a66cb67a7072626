import { defineScript } from './define-script.js';
import { OF_FIXED } from './layout.lua.js';
import { EXPIRED_LEASES } from './expired-leases.lua.js';
import { SILENCE } from './silence.lua.js';
import { TRANSITION } from './transition.lua.js';

/**
 * Deletes terminal jobs whose retention is over, and entries of `leases` that no claim needs.
 *
 * KEYS     as in `record.lua.ts`, no names
 * time, announce, channels as in `transition.lua.ts`
 * limit    the most jobs to delete
 * head, headUntil the first entry of `completed` after the last purge, and the end of its retention; '' when unknown
 * returns  the ids of the deleted jobs; 1 when there may be more, else 0; head and headUntil for the next call
 */
export const purgeScript = defineScript<[purged: string[], more: number, head: string, headUntil: string]>({
  name: 'purge',
  args: ['time', 'announce', 'channels', 'limit', 'head', 'headUntil'],
  lua: `${TRANSITION}${SILENCE}${EXPIRED_LEASES}
local due = call('ZRANGEBYSCORE', FINISHED, '-inf', NOW, 'LIMIT', 0, limit)
local jobs, gone = load(due), {}
for n = 1, #jobs do gone[n] = due[n] end
in_chunks('ZREM', FINISHED, gone)
local more_due = #gone < #due

local left = limit - #gone
local entries = left > 0 and not more_due and call('LRANGE', COMPLETED, 0, left - 1) or {}
local over, next_head, next_until = 0, '', ''

-- Whether a job may be purged. The first one that may not is remembered, so that its record is not read again before its
-- retention ends.
local function may_go(n, text)
  local job = text and parse(text)
  if job and purgeable_at(job) > now then
    next_head, next_until = entries[n], number(purgeable_at(job))
    return false
  end
  over = n
  -- The retention of an unreadable record is unknown, so it is set aside.
  if job then
    gone[#gone + 1] = sub(entries[n], 9)
    jobs[#gone] = job
  end
  return true
end

if entries[1] and entries[1] == head and now < tonumber(headUntil) then
  next_head, next_until = head, headUntil
elseif entries[1] and may_go(1, call('HGET', JOBS, sub(entries[1], 9))) then
  local ids = {}
  for n = 2, #entries do ids[n - 1] = sub(entries[n], 9) end
  local texts = read_some(ids)
  for n, text in ipairs(texts) do
    if not may_go(n + 1, text) then break end
  end
  more_due = next_head == '' and #texts < #ids
end
if over > 0 then call('LPOP', COMPLETED, over) end

for n = 1, #gone do
  local job = jobs[n]
  if job then count(job.status .. ':' .. match(job.fixed, ${OF_FIXED.name}), -1) end
end
in_chunks('HDEL', JOBS, gone)
save()
local _, dropped, more = expired_leases(0)
return { gone, (more_due or dropped > 0 and more) and 1 or 0, next_head, next_until }`,
});
