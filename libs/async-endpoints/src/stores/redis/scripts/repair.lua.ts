import { defineScript } from './define-script.js';
import { TRANSITION } from './transition.lua.js';

/**
 * Puts one job into exactly the index of its status, and deletes a record that cannot be read. The caller corrects the counters.
 *
 * KEYS     as in `record.lua.ts`, with the name of the job, if known; then `names`; then the keys that contain the job
 * time, announce, channels as in `transition.lua.ts` queues the number of names: 0 or 1 id the id of the job … for each key that
 * contains the job: the entry
 */
export const repairScript = defineScript<string>({
  name: 'repair',
  args: ['time', 'announce', 'channels', 'queues', 'id'],
  lua: `${TRANSITION}
local NAMES_AT = SHARED + queues * OF_QUEUE + 1
for at = FIRST, #ARGV do
  local key = KEYS[NAMES_AT + 1 + at - FIRST]
  if call('TYPE', key).ok == 'list' then call('LREM', key, 0, ARGV[at]) else call('ZREM', key, ARGV[at]) end
end
local text, claim = call('HGET', JOBS, id), call('HGET', CLAIMS, id)
local job = text and parse(text)
if not job then
  call('HDEL', JOBS, id)
  call('HDEL', CLAIMS, id)
  return 'dropped'
end
if queues == '0' or not is_of(job.fixed, 1) then return 'changed' end
local held = claim and (job.status == 'Q' or job.status == 'S') and parse(text, claim)
if held then
  add(queue_key(1, RUNNING), held.started, id)
  lease(id, held.lease)
else
  if claim then unclaimed[1] = id end
  write(id, job)
  enter(id, job, 1)
end
call('SADD', KEYS[NAMES_AT], name_of(1))
counts = {}
save()
return 'mended'`,
});
