import { defineScript } from '../define-script.js';
import { TRANSITION } from './transition.lua.js';

/**
 * Ends claims for those who hold them.
 *
 * KEYS     as in `transition.lua.ts`
 * time     the clock in ms, or '' for Redis's own
 * …        for each settlement: queue (from 1), id, token, verb, delayMs or '', error or result as JSON or ''
 * returns  for each: 1 where the claim was the caller's to end (now or before), 0 where it was not
 *
 * A token that is no longer the job's fence writes nothing.
 */
export const settleScript = defineScript<number[]>({
  name: 'settle',
  args: ['time'],
  lua: `${TRANSITION}
local STRIDE = 6
local replies, ids = {}, {}
for at = FIRST, #ARGV, STRIDE do ids[#ids + 1] = ARGV[at + 1] end
local jobs = load(ids)
local latest = {}

local apply = {
  complete = function(job, _, result)
    job[STATUS], job[COMPLETEDAT], job[RESULT], job[ERROR], job[INPUT] = 'C', number(now), result, '', ''
  end,
  retry = function(job, delay, failure)
    job[STATUS], job[RETRYCOUNT], job[DUEAT] = 'S', number(job[RETRYCOUNT] + 1), number(now + delay)
    job[PROGRESS], job[ERROR] = '', failure
  end,
  fail = function(job, _, failure)
    job[STATUS], job[COMPLETEDAT], job[ERROR] = 'F', number(now), failure
  end,
  release = function(job)
    job[STATUS], job[STARTEDAT], job[PROGRESS] = 'Q', '', ''
  end,
}

for n, id in ipairs(ids) do
  local queue, _, token, verb, delay, value = unpack(ARGV, FIRST + (n - 1) * STRIDE, FIRST + n * STRIDE - 1)
  local job = latest[id] or jobs[n]
  latest[id] = job
  if not job or job[FENCE] ~= token or not is_of(job, tonumber(queue)) then
    replies[n] = 0
  else
    replies[n] = 1
    if job[STATUS] == 'P' then
      leave(id, job, tonumber(queue))
      apply[verb](job, delay, value)
      job[WORKER], job[LEASEUNTIL] = '', ''
      touch(id, job)
      enter(id, job, tonumber(queue))
      write(id, job)
    end
  end
end
save()
return replies`,
});
