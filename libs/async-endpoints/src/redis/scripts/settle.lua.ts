import { defineScript } from '../define-script.js';
import { TRANSITION } from './transition.lua.js';

/**
 * Ends claims for those who hold them.
 *
 * KEYS     as in `transition.lua.ts`
 * time     the clock in ms, or '' for Redis's own
 * announce 1 to publish changes unasked, '' to see first whether somebody listens here
 * …        for each settlement: queue (from 1), id, token, verb, delayMs or '', error or result as JSON or ''
 * returns  for each: 1 where the claim was the caller's to end (now or before), 0 where it was not
 *
 * A token that is no longer the job's fence writes nothing.
 */
export const settleScript = defineScript<number[]>({
  name: 'settle',
  args: ['time', 'announce'],
  lua: `${TRANSITION}
local STRIDE = 6
local replies, ids = {}, {}
for at = FIRST, #ARGV, STRIDE do ids[#ids + 1] = ARGV[at + 1] end
local texts = load_texts(ids)
local latest = {}
-- Nearly all settlements: no need to take the whole record apart.
local FIRST_LINES = '^%d(%a)(%d+),(%d+),%d*,(%d*)[^\\n]*\\n([^\\n]*\\n)([^\\n]*)\\n()'
local COMPLETING = '^([^\\n]*\\n[^\\n]*\\n([^\\n]*)\\n[^\\n]*\\n[^\\n]*\\n)[^\\n]*\\n[^\\n]*\\n[^\\n]*(.*)$'

local function complete(id, queue, text, result)
  local _, fence, version, started, scalars, name, at = match(text, FIRST_LINES)
  local kept, retention, later = match(text, COMPLETING, at)
  remove(LEASES, id)
  remove(queue_key(queue, RUNNING), id)
  add(FINISHED, number(now + kept_for('C', retention)), id)
  count('P:' .. name, -1)
  count('C:' .. name, 1)
  if is_watched then announce_change(id, 'C', version + 1) end
  local completed = '1C' .. fence .. ',' .. (version + 1) .. ',' .. NOW .. ',' .. started .. ',' .. NOW .. ',\\n' ..
    scalars .. name .. '\\n' .. kept .. '\\n' .. result .. '\\n' .. later
  write_text(id, completed)
  return completed
end

local apply = {
  retry = function(job, delay, failure)
    job.status, job.second, job.worker, job.retries = 'S', '', '', number(job.retries + 1)
    job.due, job.progress, job.error = number(now + delay - job.created), '', failure
  end,
  fail = function(job, _, failure)
    job.status, job.second, job.worker, job.error = 'F', NOW, '', failure
  end,
  release = function(job)
    job.status, job.started, job.second, job.worker, job.progress = 'Q', '', '', '', ''
  end,
}

local function settle(id, queue, text, verb, delay, value)
  if verb == 'complete' then return complete(id, queue, text, value) end
  local job = parse(text)
  leave(id, job, queue)
  apply[verb](job, delay, value)
  touch(id, job)
  enter(id, job, queue)
  write(id, job)
  return writes[#writes]
end

for n, id in ipairs(ids) do
  local queue, _, token, verb, delay, value = unpack(ARGV, FIRST + (n - 1) * STRIDE, FIRST + n * STRIDE - 1)
  local text = latest[id] or texts[n]
  local status, fence, name, _
  if text then status, fence, _, _, _, name = match(text, FIRST_LINES) end
  -- An id can come back under another name after its job was purged.
  if fence ~= token or name ~= name_of(tonumber(queue)) then
    replies[n] = 0
  else
    replies[n] = 1
    if status == 'P' then latest[id] = settle(id, tonumber(queue), text, verb, delay, value) end
  end
end
save()
return replies`,
});
