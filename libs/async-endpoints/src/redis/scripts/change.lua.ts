import { WORKER_CRASHED } from '../../job/lifecycle.js';
import { defineScript } from '../define-script.js';
import { TRANSITION } from './transition.lua.js';

/** What `cancel`, `rerun` and `recover` have in common: one change, for each job whose status and time allow it. */
function changeScript(name: 'cancel' | 'rerun' | 'recover', change: string) {
  return defineScript<string[]>({
    name,
    args: ['time', 'announce', 'channels', 'maxCrashes'],
    lua: `${TRANSITION}
local replies, ids = {}, {}
for at = FIRST, #ARGV, 2 do ids[#ids + 1] = ARGV[at + 1] end
local jobs = load(ids)
local latest = {}

local function change(id, job)
${change}
end

for n, id in ipairs(ids) do
  local queue = tonumber(ARGV[FIRST + (n - 1) * 2])
  local job = latest[id] or jobs[n]
  latest[id] = job
  if job and is_of(job.fixed, queue) then
    local before = { status = job.status, sequence = job.sequence }
    if change(id, job) then
      touch(id, job)
      leave(id, before, queue)
      enter(id, job, queue)
      write(id, job)
      put(replies, text_of(job), '')
    else
      put(replies, ${name === 'recover' ? "'', ''" : "text_of(job), job.status == 'P' and claim_of(job) or ''"})
    end
  else
    put(replies, '', '')
  end
end
save()
return replies`,
  });
}

/**
 * Cancels jobs that have not finished; a running one's claim is revoked.
 *
 * KEYS     as in `record.lua.ts`
 * time, announce, channels as in `transition.lua.ts`
 * …        for each job: queue (from 1), id
 * returns  for each: its record as it now stands and its claim, each '' where there is none
 */
export const cancelScript = changeScript(
  'cancel',
  `  local status = job.status
  if status ~= 'Q' and status ~= 'S' and status ~= 'P' then return false end
  job.status = 'X'
  revoke(id, job, status == 'P' and job.worker)
  job.completed = NOW
  return true`,
);

/** Queues failed and canceled jobs anew; as `cancelScript` otherwise. */
export const rerunScript = changeScript(
  'rerun',
  `  if job.status ~= 'F' and job.status ~= 'X' then return false end
  job.status, job.retries, job.crashes, job.due = 'Q', '0', '0', number(now - job.created)
  job.started, job.completed, job.progress, job.error = '', '', '', ''
  return true`,
);

/**
 * Takes back jobs whose lease has run out: queued again, or failed at their `maxCrashes`-th crash. As `cancelScript`
 * otherwise, but a job whose lease still runs, or that is not in progress, answers ''.
 */
export const recoverScript = changeScript(
  'recover',
  `  if job.status ~= 'P' then return false end
  if tonumber(job.lease) > now then return false end
  job.crashes = number(job.crashes + 1)
  if tonumber(job.crashes) >= tonumber(maxCrashes) then
    job.status, job.completed = 'F', NOW
    job.error = '${JSON.stringify(WORKER_CRASHED)}'
  else
    job.status, job.started, job.progress = 'Q', '', ''
  end
  revoke(id, job, job.worker)
  return true`,
);
