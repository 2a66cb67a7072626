import { defineScript } from './define-script.js';
import { OF_FIXED } from './layout.lua.js';
import { EXPIRED_LEASES } from './expired-leases.lua.js';
import { SILENCE } from './silence.lua.js';
import { TRANSITION } from './transition.lua.js';

/**
 * Deletes terminal jobs whose retention is over, and entries of `leases` that no claim needs.
 *
 * KEYS     as in `record.lua.ts`, with the names that the last call returned; then `earlierCompleted`
 * time, announce, channels as in `transition.lua.ts`
 * limit    the most jobs to delete
 * returns  the ids of the deleted jobs; 1 when there may be more, else 0; the names with completed jobs that may be deleted now
 */
export const purgeScript = defineScript<[purged: string[], more: number, names: string[]]>({
  name: 'purge',
  args: ['time', 'announce', 'channels', 'limit'],
  lua: `${TRANSITION}${SILENCE}${EXPIRED_LEASES}
local MOST_NAMES = 100
local gone, more_due = {}, false

local function drop(id, job, is_named)
  gone[#gone + 1] = id
  if not job then return end
  count(job.status .. ':' .. match(job.fixed, ${OF_FIXED.name}), -1)
  unlist(id, job, is_named)
end

local function purge_finished()
  local due = call('ZRANGEBYSCORE', FINISHED, '-inf', NOW, 'LIMIT', 0, limit)
  for n, job in ipairs(load(due)) do drop(due[n], job, true) end
  more_due = #gone < #due
  in_chunks('ZREM', FINISHED, gone)
end

-- Returns the end of the retention of the first job that stays, if known. It reads the other records only if the first job goes.
local function purge_completed(key)
  local entries, ids = limit - #gone > 0 and call('LRANGE', key, 0, limit - #gone - 1) or {}, {}
  for n, entry in ipairs(entries) do ids[n] = sub(entry, 9) end
  local texts, over, stays = read_some({ ids[1] }), 0, nil
  while over < #texts do
    local text = texts[over + 1]
    local job = text and parse(text)
    stays = job and purgeable_at(job) > now and purgeable_at(job)
    if stays then break end
    over = over + 1
    if job then drop(ids[over], job) end -- the retention of an unreadable record is unknown, so it is set aside
    if over == 1 then texts = read_some(ids) end
  end
  if over > 0 then call('LPOP', key, over) end
  more_due = more_due or over == #texts and #texts < #ids
  return stays
end

purge_finished()
if not more_due then purge_completed(KEYS[#KEYS]) end
for queue = 1, (#KEYS - SHARED - 1) / OF_QUEUE do
  local stays = not more_due and purge_completed(queue_key(queue, COMPLETED))
  if stays then call('ZADD', PURGES, number(stays), name_of(queue))
  elseif call('LLEN', queue_key(queue, COMPLETED)) == 0 then call('ZREM', PURGES, name_of(queue)) end
end
in_chunks('HDEL', JOBS, gone)
save()
local _, dropped, more = expired_leases(0)
local due = call('ZRANGEBYSCORE', PURGES, '-inf', NOW, 'LIMIT', 0, MOST_NAMES)
return { gone, (more_due or dropped > 0 and more) and 1 or 0, due }`,
});
