import { defineScript } from './define-script.js';
import { TRANSITION } from './transition.lua.js';

/**
 * Deletes claims whose job does not exist or cannot be read, so that sweeps do not find them again. The name of such a job is
 * unknown. When only the claim cannot be read, the job is queued again. Run it for some names after the other, and at the end
 * without names: then it deletes the claims.
 *
 * KEYS     as in `record.lua.ts`
 * time, announce, channels as in `transition.lua.ts`
 * …        ids of jobs
 * returns  the number of deleted claims
 *
 * A readable claim of a readable job stays.
 */
export const forgetScript = defineScript<number>({
  name: 'forget',
  args: ['time', 'announce', 'channels'],
  lua: `${TRANSITION}
local QUEUES = (#KEYS - SHARED) / OF_QUEUE
local ids = {}
for at = FIRST, #ARGV do ids[#ids + 1] = ARGV[at] end
local texts, held = read(JOBS, ids), read(CLAIMS, ids)
local forgotten = 0

local function is_lost(n) return held[n] and not (texts[n] and parse(texts[n], held[n])) end

for queue = 1, QUEUES do
  for n, id in ipairs(ids) do
    if is_lost(n) and call('ZREM', queue_key(queue, RUNNING), id) == 1 then count('P:' .. name_of(queue), -1) end
    local job = is_lost(n) and texts[n] and parse(texts[n])
    if job and is_of(job.fixed, queue) and (job.status == 'Q' or job.status == 'S') then
      job.status = 'Q'
      unclaimed[#unclaimed + 1] = id
      touch(id, job)
      write(id, job)
      enter(id, job, queue)
      forgotten = forgotten + 1
    end
  end
end
if QUEUES == 0 then
  for n, id in ipairs(ids) do
    if is_lost(n) then forgotten = forgotten + call('HDEL', CLAIMS, id) end
  end
end
save()
return forgotten`,
});
