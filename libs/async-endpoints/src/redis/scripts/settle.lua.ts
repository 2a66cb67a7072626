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
local jobs = load(ids)
local latest = {}

local function without_input(rest)
  local known, after = match(rest, '^([^\\n]*\\n[^\\n]*\\n[^\\n]*\\n[^\\n]*\\n[^\\n]*\\n)[^\\n]*(.*)$')
  return known .. after
end

local apply = {
  complete = function(job, _, result)
    job.status, job.times, job.result = 'C', started_at(job) .. ',' .. NOW, result
    job.error, job.rest = '', without_input(job.rest)
  end,
  retry = function(job, delay, failure)
    job.status, job.times, job.retries = 'S', started_at(job), number(job.retries + 1)
    job.due, job.progress, job.error = number(now + delay - job.created), '', failure
  end,
  fail = function(job, _, failure)
    job.status, job.times, job.error = 'F', started_at(job) .. ',' .. NOW, failure
  end,
  release = function(job)
    job.status, job.times, job.progress = 'Q', '', ''
  end,
}

for n, id in ipairs(ids) do
  local queue, _, token, verb, delay, value = unpack(ARGV, FIRST + (n - 1) * STRIDE, FIRST + n * STRIDE - 1)
  local job = latest[id] or jobs[n]
  latest[id] = job
  if not job or job.fence ~= token or not is_of(job, tonumber(queue)) then
    replies[n] = 0
  else
    replies[n] = 1
    if job.status == 'P' then
      leave(id, job, tonumber(queue))
      apply[verb](job, delay, value)
      touch(id, job)
      enter(id, job, tonumber(queue))
      write(id, job)
    end
  end
end
save()
return replies`,
});
